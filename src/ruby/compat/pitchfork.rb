# frozen_string_literal: true

# What configurations, callbacks and gems touch of pitchfork, answered by reforkd.
# Where the gem is in the bundle it stays, and its server class answers as ours.
require "reforkd/compat"

if Reforkd::Compat.theirs("pitchfork")
  Reforkd::Server.take_over(Pitchfork::HttpServer)
  Reforkd::Compat.before[:Pitchfork] = Reforkd::Compat.defaults(:Pitchfork).dup
  Pitchfork.singleton_class.prepend(Reforkd::CompatModule, Reforkd::CompatPrevention)
  Pitchfork::Info.singleton_class.prepend(Reforkd::CompatInfo)
  return
end
require "pitchfork/info"
require "pitchfork/mem_info"

module Pitchfork
  HttpServer = Reforkd::Server
  Worker = Reforkd::Worker
  Service = Reforkd::Service
  HttpParser = Reforkd::CompatRequest
  HttpRequest = Reforkd::CompatRequest
  Configurator = Reforkd::Config
  TmpIO = Reforkd::CompatTmpIO
  ClientShutdown = Class.new(EOFError)
  BootFailure = Class.new(StandardError)
  ForkFailure = Class.new(StandardError)
  REFORKING_AVAILABLE = true
  VERSION = "0.18.2"

  module Const
    VERSION = Pitchfork::VERSION
    UNICORN_VERSION = "6.1.0"
  end

  # Configurations put one into set[:refork_condition]; the master decides here.
  module ReforkCondition
    class << self
      attr_accessor :backoff_delay
    end
    self.backoff_delay = 10.0

    class RequestsCount
      def initialize(limits)
        @limits = limits
      end

      def met?(worker, _logger)
        limit = @limits.fetch(worker.generation) { @limits.last }
        limit && worker.requests_count >= limit
      end

      def backoff!(*)
        nil
      end
    end
  end

  extend Reforkd::CompatModule
  extend Reforkd::CompatBuilder
  extend Reforkd::CompatPrevention

  # Process.fork, by pitchfork's name for it.
  def self.clean_fork(...)
    Process.fork(...)
  end
end
