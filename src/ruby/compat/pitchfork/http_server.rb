# frozen_string_literal: true

require "pitchfork"
Reforkd::Compat.theirs("pitchfork/http_server")
