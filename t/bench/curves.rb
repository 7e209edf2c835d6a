# Curves over time, drawn into an SVG.

module Bench
  # Points are [seconds, value]; each curve has a name.
  class Curves
    WIDTH = 900
    HEIGHT = 420
    LEFT = 60
    RIGHT = 20
    TOP = 40
    BOTTOM = 50
    COLOURS = %w[#1b6ca8 #c0392b #2e8b57 #8e44ad #b8860b #444].freeze

    def initialize(title, unit)
      @title = title
      @unit = unit
      @curves = {}
    end

    def add(name, points) = @curves[name] = points

    def write(path)
      FileUtils.mkdir_p(File.dirname(path))
      File.write(path, text)
    end

    def text
      <<~SVG
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 #{WIDTH} #{HEIGHT}" font-family="sans-serif" font-size="13">
        <rect width="#{WIDTH}" height="#{HEIGHT}" fill="white"/>
        <text x="#{LEFT + 40}" y="22" font-size="15">#{@title}</text>
        #{grid.join("\n")}
        #{@curves.each_with_index.map { |(name, points), i| curve(name, points, i) }.join("\n")}
        </svg>
      SVG
    end

    private

    def most_x = @most_x ||= @curves.values.flatten(1).map(&:first).max.to_f.clamp(1, nil)

    def step_y = @step_y ||= [1, 2, 5, 10, 20, 25, 50, 100, 200, 500].find { |s| highest / s <= 8 } || 1000

    def highest = @curves.values.flatten(1).map(&:last).max.to_f.clamp(1, nil)

    def most_y = (highest / step_y).ceil * step_y

    def at_x(seconds) = (LEFT + ((WIDTH - LEFT - RIGHT) * seconds / most_x)).round(1)

    def at_y(value) = (HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * value / most_y)).round(1)

    def grid
      lines = (0..most_y).step(step_y).map do |value|
        line(LEFT, at_y(value), WIDTH - RIGHT, at_y(value)) + label(LEFT - 8, at_y(value) + 4, "end", value.to_i)
      end
      step = most_x > 40 ? 10 : 5
      lines += (0..most_x).step(step).map do |second|
        line(at_x(second), HEIGHT - BOTTOM, at_x(second), HEIGHT - BOTTOM + 5) + label(at_x(second), HEIGHT - BOTTOM + 20, "middle", second.to_i)
      end
      lines << label(8, TOP - 12, "start", @unit) << label(WIDTH - RIGHT, HEIGHT - 10, "end", "seconds")
    end

    def line(from_x, from_y, to_x, to_y) = %(<path d="M#{from_x} #{from_y}L#{to_x} #{to_y}" stroke="#ddd"/>)

    def label(left, top, anchor, text) = %(<text x="#{left}" y="#{top}" text-anchor="#{anchor}" fill="#444">#{text}</text>)

    def curve(name, points, index)
      colour = COLOURS[index % COLOURS.size]
      path = points.map { |x, y| "#{at_x(x)} #{at_y(y)}" }.join("L")
      left = LEFT + 12 + (index * 180)
      %(<path d="M#{path}" fill="none" stroke="#{colour}" stroke-width="2"/>\n) +
        %(<text x="#{left}" y="#{HEIGHT - 10}" fill="#{colour}">#{name}</text>)
    end
  end
end
