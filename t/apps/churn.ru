# An application for garbage collectors: half a million objects that stay, a
# cache whose entries grow old and are thrown away, and requests of very
# different size.
#
#   /small  a page of a hundred lines           /rows   200 records as JSON
#   /many   1,200 of them                       /huge   5,000, and big strings
#   /bomb   1.6 GB of garbage in one request    /       one of the first four
#
# CHURN_NODES (200000) says how much stays.

require "json"

module Churn
  CACHED = 8000
  SHARES = { small: 700, rows: 220, many: 72, huge: 8 }.freeze # of a thousand

  class Row
    attr_reader :id, :title, :text, :tags, :attributes

    def initialize(id, seed)
      @id = id
      @title = "record #{id} of #{seed}"
      @text = "text #{id} " * 10
      @tags = ["tag#{id % 7}", "tag#{id % 11}"]
      @attributes = { "id" => id, "title" => @title, "number" => id.to_s }
    end

    def to_hash = { id: @id, title: @title, text: @text, tags: @tags, half: @id / 2.0 }
  end

  class Application
    def initialize(nodes)
      @nodes = Array.new(nodes) { |i| node(i) }
      @cache = {}
      @served = 0
      CACHED.times { |i| keep(Row.new(i, 0)) }
    end

    def call(env)
      @served += 1
      kind = env["PATH_INFO"].delete("/").to_sym
      kind = draw if kind == :""
      body = respond_to?(kind, true) && (SHARES.key?(kind) || kind == :bomb) ? send(kind) : "what?"
      [200, { "content-type" => "text/plain", "content-length" => body.bytesize.to_s }, [body]]
    end

    private

    def node(number)
      case number % 3
      when 0 then { name: "node #{number}", values: [number, number + 1] }
      when 1 then "a retained text, number #{number}, longer than what a slot of forty bytes holds"
      else [number.to_s, "x#{number}"]
      end
    end

    # The oldest entry goes when a new one comes: garbage that was old.
    def keep(value)
      @cache.delete(@cache.first[0]) if @cache.size >= CACHED
      @cache[@kept = (@kept || 0) + 1] = value
    end

    # The same requests in every run.
    def draw
      dice = (@random ||= Random.new(1)).rand(1000)
      SHARES.each { |kind, share| return kind if (dice -= share).negative? }
    end

    def small
      fields = Array.new(40) { |i| ["HTTP_X_#{i}", "value #{@served} #{i}"] }.to_h
      page = +""
      120.times { |i| page << "<li class=\"c#{i}\">" << fields["HTTP_X_#{i % 40}"].upcase << "</li>\n" }
      2.times { |i| keep(page[i * 100, 300]) }
      page
    end

    def records(count, kept)
      rows = Array.new(count) { |i| Row.new(i, @served) }
      rows.first(kept).each { |row| keep(row) }
      JSON.generate(rows.map(&:to_hash))
    end

    def rows = records(200, 10)
    def many = records(1200, 40)

    def huge
      texts = Array.new(6) { |i| "line #{i} " * 60_000 }
      sizes = texts.sum { |text| text.gsub("line", "LINE").size }
      "#{records(5000, 20)}#{sizes}"
    end

    # Half of it in small objects, half in big strings.
    def bomb
      sum = 0
      3_000_000.times { |i| sum += ("garbage #{i} " * 20).size }
      300.times { sum += ("x" * 3_000_000).size }
      sum.to_s
    end
  end
end

run Churn::Application.new(Integer(ENV.fetch("CHURN_NODES", "200000")))
