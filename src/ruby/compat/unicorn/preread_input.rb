# frozen_string_literal: true

require "unicorn"
return if Reforkd::Compat.theirs("unicorn/preread_input")

module Unicorn
  # Bodies are complete here before the application is called.
  class PrereadInput
    def initialize(app)
      @app = app
    end

    def call(env)
      @app.call(env)
    end
  end
end
