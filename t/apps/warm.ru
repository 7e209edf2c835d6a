# An application that gets warm: it fills inline caches, memo tables and an LRU
# cache while it answers, as real ones do. A request takes about a millisecond.
#
# WARM_MB adds retained objects of about that size.

module Warm
  CLASSES = 300
  METHODS = 12
  MEMOS = 3000
  PAGES = 1500

  # Each method has its own call sites, constants and instance variables, so
  # that each has its own caches to fill.
  def self.model_source(number)
    methods = METHODS.times.map do |m|
      <<~RUBY
        def rule#{m}(other)
          @seen#{m} = (@seen#{m} || 0) + 1
          base = LIMIT + other.weight - Model#{(number * 7 + m) % CLASSES}::LIMIT
          base.even? ? label.sub("x", "rule#{m}").size : [label, base, @seen#{m}].join("-").size
        end
      RUBY
    end
    <<~RUBY
      class Model#{number}
        LIMIT = #{number}
        attr_reader :label, :weight
        def initialize
          @label = "x of model #{number}"
          @weight = #{number % 13}
        end
        #{methods.join("\n")}
      end
    RUBY
  end

  CLASSES.times { |n| class_eval(model_source(n), "model#{n}.rb") }

  class Application
    ROW = 400 # bytes, all in all, as measured on 3.1

    def initialize(megabytes)
      @models = Array.new(CLASSES) { |n| Warm.const_get("Model#{n}").new }
      @tree = Array.new(megabytes * 1_000_000 / ROW) do |i|
        { name: "row #{i}", text: "a text that does not fit into a slot, number #{i}", tags: ["t#{i % 17}", i.to_s] }
      end
      @memo = {}
      @pages = {}
      @served = 0
    end

    def call(env)
      random = Random.new(Process.pid * 1_000_003 + @served += 1)
      sum = rules(random) + memos(random) + rows(random)
      page = render(random, sum)
      remember(page)
      [200, { "content-type" => "text/html", "content-length" => page.bytesize.to_s }, [page]]
    end

    private

    def rules(random)
      120.times.sum do
        model = @models[random.rand(CLASSES)]
        model.public_send("rule#{random.rand(METHODS)}", @models[random.rand(CLASSES)])
      end
    end

    def memos(random)
      12.times.sum do
        key = random.rand(MEMOS)
        (@memo[key] ||= Array.new(30) { |i| "memo #{key}, line #{i}" }).size
      end
    end

    def rows(random)
      return 0 if @tree.empty?

      60.times.sum { @tree[random.rand(@tree.size)][:name].size }
    end

    def render(random, sum)
      items = Array.new(250) { |i| "<li class=\"c#{i % 7}\">#{i * sum} #{random.rand(1000)}</li>" }
      "<ul>\n#{items.join("\n")}\n</ul>\n"
    end

    def remember(page)
      @pages.delete(@pages.first[0]) if @pages.size >= PAGES
      @pages[@served] = page[0, 600]
    end
  end
end

run Warm::Application.new(Integer(ENV.fetch("WARM_MB", "60")))
