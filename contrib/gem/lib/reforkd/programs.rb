# frozen_string_literal: true

require "rbconfig"

module Reforkd
  # The programs that `gem install` has compiled, and how they are started: in
  # this process's place, with this Ruby for the application.
  module Programs
    STUB = File.expand_path("../../exe/reforkd", __dir__)

    class << self
      # `called` is argv[0]: what USR2 executes in unicorn's personality.
      def start(name, called, *arguments)
        ENV["REFORKD_RUBY"] = RbConfig.ruby
        exec([path(name), called], *arguments)
      end

      def path(name)
        places.map { |folder| File.join(folder, "reforkd", name) }.find { |file| File.executable?(file) } or
          abort "reforkd: #{name} is not in #{places.join(" or ")}: gem pristine reforkd"
      end

      private

      def places
        spec = Gem.loaded_specs["reforkd"] if defined?(Gem)
        [spec&.extension_dir, File.expand_path("..", __dir__)].compact
      end
    end
  end
end
