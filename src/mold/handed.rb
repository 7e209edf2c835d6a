# frozen_string_literal: true

# Unicorn::HttpServer.new(app, options).start.join: the script that says so is
# this mold's program (ruby/compat/reforkd/script.rb), and what it has handed on
# stands before the file. Options are directives, as unicorn takes them.
module Reforkd
  class << self
    attr_accessor :handed # [app, options]
  end

  class Config
    HANDED_AT = "HttpServer.new"
    NOT_DIRECTIVES = %i[config_file use_defaults].freeze

    private

    def handed_take
      app, options = Reforkd.handed
      at(HANDED_AT) do
        handed_app(app)
        options.transform_keys(&:to_sym).except(*NOT_DIRECTIVES).each { |name, value| public_send(name, value) }
      end
    end

    # What unicorn calls first: a lambda without arguments, or with two.
    def handed_app(app)
      return @set[:rack] = app.file if app.is_a?(CompatBuilt)

      complain("#{app.inspect} is no application", "it does not respond to call") unless app.respond_to?(:call)
      arity = app.is_a?(Proc) ? app.arity : 1
      @set[:rack] = arity == 2 ? -> { app.call(nil, server) } : app
      @rack_makes_app = [0, 2].include?(arity)
      @set[:default_middleware] = false # only what builder has read gets it
    end
  end
end
