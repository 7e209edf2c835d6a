# frozen_string_literal: true

# What configurations, callbacks and gems touch of unicorn, answered by reforkd.
# Where the gem is in the bundle it stays, and its server class answers as ours.
require "reforkd/compat"

if Reforkd::Compat.theirs("unicorn")
  Reforkd::Server.take_over(Unicorn::HttpServer)
  Reforkd::Compat.before[:Unicorn] = Reforkd::Compat.defaults(:Unicorn).dup
  Unicorn.singleton_class.prepend(Reforkd::CompatModule)
  return
end

module Unicorn
  HttpServer = Reforkd::Server
  Worker = Reforkd::Worker
  HttpParser = Reforkd::CompatRequest
  HttpRequest = Reforkd::CompatRequest
  TeeInput = Class.new
  StreamInput = Class.new
  ClientShutdown = Class.new(EOFError)

  module Const
    DEFAULT_HOST = "0.0.0.0"
    DEFAULT_PORT = 8080
    DEFAULT_LISTEN = "#{DEFAULT_HOST}:#{DEFAULT_PORT}"
    CHUNK_SIZE = 16 * 1024
    MAX_BODY = 112 * 1024
    UNICORN_VERSION = "6.1.0"
  end

  Configurator = Reforkd::Config
  TmpIO = Reforkd::CompatTmpIO

  module Util
    class << self
      def reopen_logs
        Reforkd::Logs.reopen
      end
    end
  end

  # -D is the command line's.
  module Launcher
    def self.daemonize!(_options)
      nil
    end
  end

  extend Reforkd::CompatModule
  extend Reforkd::CompatBuilder
end
