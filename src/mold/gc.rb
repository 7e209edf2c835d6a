# frozen_string_literal: true

# The gc directive: how Ruby's own collector is started. It makes RUBY_GC_* of
# what this Ruby reads, for the mold's exec (ipc/heap.c).
module Reforkd
  class Config
    # Option => the variable behind RUBY_GC_, how it is written, and since when.
    GC_VARIABLES = {
      free_slots: ["HEAP_FREE_SLOTS", :count], growth_factor: ["HEAP_GROWTH_FACTOR", :ratio],
      growth_max_slots: ["HEAP_GROWTH_MAX_SLOTS", :count], free_slots_min_ratio: ["HEAP_FREE_SLOTS_MIN_RATIO", :ratio],
      free_slots_goal_ratio: ["HEAP_FREE_SLOTS_GOAL_RATIO", :ratio], free_slots_max_ratio: ["HEAP_FREE_SLOTS_MAX_RATIO", :ratio],
      oldobject_limit_factor: ["HEAP_OLDOBJECT_LIMIT_FACTOR", :ratio],
      remembered_wb_unprotected_objects_limit_ratio: ["HEAP_REMEMBERED_WB_UNPROTECTED_OBJECTS_LIMIT_RATIO", :ratio, "3.3"],
      malloc_limit: ["MALLOC_LIMIT", :size], malloc_limit_max: ["MALLOC_LIMIT_MAX", :size],
      malloc_limit_growth_factor: ["MALLOC_LIMIT_GROWTH_FACTOR", :ratio],
      oldmalloc_limit: ["OLDMALLOC_LIMIT", :size], oldmalloc_limit_max: ["OLDMALLOC_LIMIT_MAX", :size],
      oldmalloc_limit_growth_factor: ["OLDMALLOC_LIMIT_GROWTH_FACTOR", :ratio]
    }.freeze
    GC_FORMS = "init_slots:, #{GC_VARIABLES.keys.map { |name| "#{name}:" }.join(", ")}, or lines as reforkctl advise prints them"
    # What Ruby has by itself; a limit above its maximum would be none.
    GC_MAXIMA = { "MALLOC_LIMIT" => 32 << 20, "OLDMALLOC_LIMIT" => 128 << 20 }.freeze
    GC_UNITS = { "" => 1, "K" => 1 << 10, "M" => 1 << 20, "G" => 1 << 30 }.freeze

    # gc malloc_limit: "64M", init_slots: 300_000; or the lines of advise.
    def gc(lines = nil, **options)
      seen(:gc)
      complain("gc says nothing", "write #{GC_FORMS}") if lines.nil? && options.empty?
      named = lines.nil? ? {} : gc_lines(lines)
      options.each { |name, value| gc_option(named, name, value) }
      GC_MAXIMA.each do |name, max|
        limit = gc_bytes(named[name])
        named["#{name}_MAX"] ||= (2 * limit).to_s if limit && limit > max
      end
      @set[:gc] = named.filter_map { |name, value| "RUBY_GC_#{name}=#{value}" if gc_read?(name) }.join(" ")
      complain("gc names too much: #{@set[:gc].size} bytes", "1023 at most") if @set[:gc].size > 1023
    end

    private

    def gc_lines(lines)
      complain("gc=#{lines.inspect} is not known", "write #{GC_FORMS}") unless lines.is_a?(String)
      lines.gsub(/#.*/, "").split.to_h do |word|
        name, value = word.match(/\A(?:RUBY_GC_)([A-Z0-9_]+)=(\d[\d.]*[kKmMgG]?)\z/)&.captures
        complain("gc: #{word.inspect} is not NAME=VALUE", "RUBY_GC_MALLOC_LIMIT=64M, say") unless name
        [name, value]
      end
    end

    def gc_option(named, name, value)
      return gc_init_slots(named, value) if name == :init_slots

      variable, kind, = GC_VARIABLES.fetch(name) { complain("gc #{name}: is not known", "write #{GC_FORMS}") }
      right = kind == :ratio ? value.is_a?(Numeric) && value.real? && value.between?(0, 1000) : gc_bytes(value)
      complain("gc #{name}: #{value.inspect} is no #{kind}", kind == :size ? 'bytes, or "64M"' : "a number") unless right
      named[variable] = kind == :ratio ? value.to_s : gc_bytes(value).to_s
    end

    # A number for the smallest slots, or for each pool: [400_000, 300_000]. Ruby
    # 3.1 has one heap for all.
    def gc_init_slots(named, value)
      counts = Array(value)
      unless counts.size.between?(1, 5) && counts.all? { |n| n.is_a?(Integer) && n.between?(1, 1 << 31) }
        complain("gc init_slots: #{value.inspect} is no number of slots", "300_000, or one for each pool, five at most")
      end
      return named["HEAP_INIT_SLOTS"] = counts.sum.to_s if RUBY_VERSION < "3.2"

      counts.each_with_index { |n, i| named["HEAP_#{i}_INIT_SLOTS"] = n.to_s }
    end

    def gc_bytes(value)
      return value if value.is_a?(Integer) && value.between?(0, 1 << 40)

      number, unit = value.is_a?(String) ? value.match(/\A(\d+)([KMG]?)\z/i)&.captures : nil
      number && (number.to_i * GC_UNITS.fetch(unit.upcase))
    end

    # What this Ruby does not read is left out, and said.
    def gc_read?(name)
      better = gc_instead(name) or return true
      @notes << "gc: Ruby #{RUBY_VERSION} does not read RUBY_GC_#{name}#{better}"
      false
    end

    # nil: it reads it. The pools came with 3.2, their variables with 3.3; 4.1
    # counts bytes.
    def gc_instead(name)
      version = RUBY_VERSION[/\d+\.\d+/]
      case name
      when /\AHEAP_(?:[0-4]_)?INIT_SLOTS\z|\AHEAP_GROWTH_MAX_SLOTS\z/
        gc_slots_instead(name, version)
      else
        known = GC_VARIABLES.values.find { |variable, *| variable == name }
        known.nil? || (known[2] && version < known[2]) ? "" : nil
      end
    end

    def gc_slots_instead(name, version)
      return "" if version >= "4.1"

      case name
      when "HEAP_INIT_SLOTS" then version < "3.2" ? nil : (version < "3.3" ? "" : ", but RUBY_GC_HEAP_0_INIT_SLOTS to RUBY_GC_HEAP_4_INIT_SLOTS")
      when /\AHEAP_[0-4]_INIT_SLOTS\z/ then version < "3.2" ? ", but RUBY_GC_HEAP_INIT_SLOTS" : (version < "3.3" ? "" : nil)
      end
    end
  end
end
