# frozen_string_literal: true

# For Rack 2's rackup.
require "rack/handler"
require "reforkd/handler"

module Rack
  module Handler
    module Reforkd
      extend ::Reforkd::Handling
    end
  end
end

Rack::Handler.register("reforkd", "Rack::Handler::Reforkd")
