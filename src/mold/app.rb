# frozen_string_literal: true

# From config.ru, a block or an object to what answers call(env).
module Reforkd
  class << self
    attr_accessor :app
  end

  module App
    class << self
      # given: a path, an object, or a block that makes one
      def load(given, makes_app, middleware)
        app = given.is_a?(String) ? from_file(given) : given
        app = app.call if makes_app
        raise TypeError, "the application is #{app.inspect}: it does not respond to call(env)" unless app.respond_to?(:call)

        Reforkd.app = middleware.reverse.inject(app) { |inner, (klass, *arguments)| klass.new(inner, *arguments) }
      end

      # What unicorn and pitchfork put around an application by RACK_ENV.
      def middleware(personality, environment)
        names =
          case [personality, environment]
          in [:unicorn, "development"] then %i[ContentLength Chunked CommonLogger ShowExceptions Lint TempfileReaper]
          in [:unicorn, "deployment"] then %i[ContentLength Chunked CommonLogger TempfileReaper]
          in [:pitchfork, "development"] then %i[ContentLength Lint TempfileReaper]
          in [:pitchfork, _] then %i[ContentLength TempfileReaper]
          else []
          end
        return [] if names.empty?

        rack
        names.filter_map { |name| constant(name)&.then { |klass| name == :CommonLogger ? [klass, $stderr] : [klass] } }
      end

      private

      def rack
        require "rack"
        require "rack/builder"
      rescue LoadError => error
        raise error unless error.path == "rack"

        raise LoadError, "the rack gem is not there: add it to the Gemfile, or gem install rack"
      end

      # Rack 3 dropped some; an application without them does without.
      def constant(name)
        Rack.const_get(name)
      rescue NameError, LoadError
        nil
      end

      def from_file(path)
        path = File.expand_path(path)
        return from_ruby(path) if path.end_with?(".rb")

        rack
        text = File.read(path, encoding: Encoding::UTF_8)
        text.delete_prefix!("\uFEFF")
        text.sub!(/^__END__\n.*\Z/m, "")
        app = Rack::Builder.new_from_string(text, path)
        app.is_a?(Array) ? app.first : app
      end

      # unicorn's: foo.rb defines Foo.
      def from_ruby(path)
        require path
        name = File.basename(path, ".rb")
        names = [name.capitalize, name.split("_").map(&:capitalize).join]
        found = names.find { |candidate| Object.const_defined?(candidate) }
        raise NameError, "#{path} defines no #{names.uniq.join(" and no ")}" unless found

        Object.const_get(found)
      end
    end
  end
end
