# frozen_string_literal: true

# `Unicorn` and `Pitchfork` are there when somebody names them: those of compat/, a
# folder at the head of the load path, which steps aside where the gem is in the
# bundle.
module Reforkd
  module Compat
    GEMS = { Unicorn: "unicorn", Pitchfork: "pitchfork" }.freeze

    # Object's, for whoever names one before it is required.
    module Missing
      def const_missing(name)
        return super unless equal?(Object) && GEMS.key?(name)

        Compat.bring(name) or super
      end
    end

    @before = {} # what a gem's DEFAULTS were when it came

    class << self
      attr_reader :before

      def install
        home = defined?(HOME) ? HOME : File.dirname(File.readlink("/proc/self/exe"))
        folder = File.expand_path("compat", home)
        $LOAD_PATH.unshift(folder) unless $LOAD_PATH.include?(folder)
        Object.singleton_class.prepend(Missing)
      end

      # Pitchfork's gem calls it HttpParser.
      def defaults(name)
        family = Object.const_get(name)
        found = %i[HttpRequest HttpParser].find { |kind| family.const_defined?(kind, false) && family.const_get(kind).const_defined?(:DEFAULTS) }
        found ? family.const_get(found)::DEFAULTS : {}
      end

      def bring(name)
        require GEMS.fetch(name)
        Object.const_get(name, false) if Object.const_defined?(name, false)
      end

      # The gem's own file, when the gem is in the bundle and ours was not first.
      def theirs(feature)
        gem = feature[%r{\A[^/]+}]
        return false if (@ours ||= []).include?(gem)

        spec = defined?(Gem) && Gem.loaded_specs[gem]
        path = spec && spec.full_require_paths.map { |dir| "#{dir}/#{feature}.rb" }.find { |file| File.file?(file) }
        return (@ours << gem) && false unless path

        require path
        true
      end
    end
  end

  class Config
    # What the file has put into HttpRequest::DEFAULTS, for each env.
    def env_defaults
      Compat::GEMS.keys.reduce({}) do |all, name|
        next all unless Object.const_defined?(name, false) && !Object.autoload?(name)

        defaults = Compat.defaults(name)
        all.merge(defaults.reject { |key, value| Compat.before.dig(name, key).equal?(value) })
      end
    end

    # `HttpRequest::DEFAULTS`: unicorn's configurator includes Unicorn.
    def self.const_missing(name)
      return Object.const_missing(name) if Compat::GEMS.key?(name)

      Compat::GEMS.each_key do |gem|
        family = Object.const_defined?(gem, false) ? Object.const_get(gem, false) : Compat.bring(gem)
        return family.const_get(name, false) if family&.const_defined?(name, false)
      end
      super
    end
  end

  Compat.install
end
