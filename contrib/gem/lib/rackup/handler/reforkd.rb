# frozen_string_literal: true

# For Rack 3's rackup.
require "rackup/handler"
require "reforkd/handler"

module Rackup
  module Handler
    module Reforkd
      extend ::Reforkd::Handling
    end
  end
end

Rackup::Handler.register(:reforkd, Rackup::Handler::Reforkd)
