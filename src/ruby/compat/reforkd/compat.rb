# frozen_string_literal: true

# What both families share.
require "tmpdir"
require "reforkd/script" unless defined?(Reforkd::Compat)

module Reforkd
  # env entries that a file adds: HttpRequest::DEFAULTS["rack.url_scheme"] = "https"
  class CompatRequest
    DEFAULTS = {} # rubocop:disable Style/MutableConstant

    class << self
      attr_accessor :max_header_len
    end
  end

  # An unlinked file of its own, open in binary mode.
  class CompatTmpIO < File
    def self.new
      path = File.join(Dir.tmpdir, "reforkd.#{Process.pid}.#{rand(0x100000000).to_s(36)}")
      file = open(path, RDWR | CREAT | EXCL, 0o600)
      File.unlink(path)
      file.binmode
      file.sync = true
      file
    rescue Errno::EEXIST
      retry
    end

    def size
      stat.size
    end
  end

  # Of the modules Unicorn and Pitchfork.
  module CompatModule
    def listener_names
      Reforkd.listener_names
    end

    def log_error(logger, prefix, error)
      message = error.message
      message = message.dump if message.match?(/[[:cntrl:]]/)
      logger.error("#{prefix}: #{message} (#{error.class})")
      error.backtrace&.each { |line| logger.error(line) }
    end
  end

  # An application in a file, for HttpServer.new.
  class CompatBuilt
    attr_reader :file

    def initialize(file)
      @file = file
    end

    def arity
      0
    end

    def call
      App.load(file, false, [])
    end
  end

  # Of both modules, where their gem is not there. The second argument of
  # unicorn's parses what the file says of itself, and the mold does that.
  module CompatBuilder
    def builder(file, _parser = nil)
      CompatBuilt.new(file)
    end
  end

  # Of the module Pitchfork.
  module CompatPrevention
    def prevent_fork(&block)
      Reforkd.prevent_fork(caller_locations(1, 1)&.first, &block)
    end
  end

  # Of Pitchfork::Info: what a process may ask about the others, and say of itself.
  module CompatInfo
    def fork_safe?
      !Reforkd.no_longer_fork_safe
    end

    # For this process, and for ever.
    def no_longer_fork_safe!
      place = caller_locations(1, 1)&.first
      Reforkd.no_longer_fork_safe ||= place ? "#{place.path}:#{place.lineno}" : "?"
    end

    def workers_count
      Reforkd.server.config[:worker_processes] || 1
    end

    def live_workers_count
      Reforkd.live_workers
    end

    def shutting_down?
      Reforkd.shutting_down?
    end
  end

  class Server
    # unicorn's "stable interface": the arguments that a USR2 starts again with.
    START_CTX = Reforkd.const_defined?(:START_CTX, false) ? Reforkd::START_CTX : { argv: [], cwd: Dir.pwd }
    LISTENERS = [] # rubocop:disable Style/MutableConstant
    NEW_LISTENERS = [] # rubocop:disable Style/MutableConstant
  end

  class Config
    DEFAULTS = Hash.new { |_, key| Reforkd.config&.set&.[](key) }
    RACKUP = {} # rubocop:disable Style/MutableConstant
  end
end
