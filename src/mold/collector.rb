# frozen_string_literal: true

# The oob_gc directive: when workers collect garbage between requests.
module Reforkd
  class Config
    OOB_GC_FORMS = "true, false, :discourse, every: 20, or budget:, guard:, leash:, nursery:"
    OOB_GC_UNITS = { "" => 1, "K" => 1 << 10, "M" => 1 << 20, "G" => 1 << 30 }.freeze

    def oob_gc(value = nil, **options)
      seen(:oob_gc)
      return oob_gc(**value) if value.is_a?(Hash) && options.empty?

      known = value.nil? ? !options.empty? : [true, false, :discourse].include?(value) && options.empty?
      complain("oob_gc=#{value.inspect}#{" #{options}" unless options.empty?} is not known", "write #{OOB_GC_FORMS}") unless known
      @set[:oob_gc] = value != false
      @set[:oob_gc_rule] = value == :discourse ? "discourse" : "room"
      oob_gc_options(options)
    end

    private

    def oob_gc_options(options)
      if options.key?(:every)
        complain("oob_gc every: takes nothing besides", "write oob_gc every: 20") if options.size > 1
        @set[:oob_gc_rule] = "every"
        @set[:oob_gc_every] = oob_gc_every(options[:every])
        return
      end
      options.each do |name, value|
        case name
        when :budget then @set[:oob_gc_budget] = oob_gc_share(name, value, 10)
        when :guard then @set[:oob_gc_guard] = oob_gc_share(name, value, 1)
        when :leash then @set[:oob_gc_leash] = oob_gc_size(name, value)
        when :nursery then @set[:oob_gc_nursery] = value == :auto ? 0 : oob_gc_size(name, value, min: 1 << 16)
        else complain("oob_gc #{name}: is not known", "write #{OOB_GC_FORMS}")
        end
      end
    end

    def oob_gc_every(value)
      return value if value.is_a?(Integer) && value.between?(1, SETTINGS.fetch(:oob_gc_every)[3])

      complain("oob_gc every: #{value.inspect} is no number of requests", "write oob_gc every: 20")
    end

    # In percent, as the settings carry it.
    def oob_gc_share(name, value, max)
      return (value * 100).round if value.is_a?(Numeric) && value.real? && value.finite? && value.between?(0, max)

      complain("oob_gc #{name}: #{value.inspect} is no share", "0 to #{max}; 0.5 is a half")
    end

    def oob_gc_size(name, value, min: SETTINGS.fetch(:oob_gc_leash)[2])
      number, unit = value.is_a?(String) ? value.match(/\A\s*(\d+)\s*([KMG]?)B?\s*\z/i)&.captures : [value, ""]
      complain("oob_gc #{name}: #{value.inspect} is no size", 'bytes, or "8M"') unless number.is_a?(String) || number.is_a?(Integer)
      bytes = number.to_i * OOB_GC_UNITS.fetch(unit.upcase)
      max = SETTINGS.fetch(:oob_gc_leash)[3]
      complain("oob_gc #{name}: #{value} is not between #{min} and #{max} bytes") unless bytes.between?(min, max)
      bytes
    end
  end
end
