# frozen_string_literal: true

require "reforkd/programs"

module Reforkd
  # `require "unicorn"` in a program of the user's own finds reforkd's gem, too:
  # it steps aside where the gem of that name is in the bundle, or installed.
  module StandIn
    class << self
      def for(name)
        spec = Gem.loaded_specs[name] || Gem::Specification.find_all_by_name(name).max_by(&:version)
        return theirs(spec, name) if spec

        compat = File.join(File.dirname(Programs.path("reforkd")), "compat")
        $LOAD_PATH.unshift(compat) unless $LOAD_PATH.include?(compat)
        require File.join(compat, "#{name}.rb")
      end

      private

      def theirs(spec, name)
        spec.activate unless spec.activated?
        file = spec.full_require_paths.map { |folder| File.join(folder, "#{name}.rb") }.find { |path| File.file?(path) }
        require file
      end
    end
  end
end
