# frozen_string_literal: true

# The server and the worker, as callbacks and gems know them from unicorn and
# pitchfork. Where their gem is in the bundle its class is taken, with these
# methods in the place of its own: what patches the class then patches ours.

module Reforkd
  # There for the file without a require, as in unicorn; yet not loaded before the
  # application may have set up a bundle, which has its own version of each.
  LIBRARIES = { Etc: "etc", Logger: "logger", StringIO: "stringio" }.freeze
  LIBRARIES.each { |name, library| Object.autoload(name, library) unless Object.const_defined?(name) }

  class << self
    # What a worker that has changed its root could not load any more. That a
    # bundle does not name one of them is no warning for its owner.
    def load_libraries
      verbose, $VERBOSE = $VERBOSE, nil
      LIBRARIES.each_value do |library|
        require library
      rescue LoadError
        nil
      end
    ensure
      $VERBOSE = verbose
    end

    attr_accessor :config, :server

    def listener_names
      config.listeners_wanted.map(&:first) + config.names_here
    end
  end

  # Configurations signal their master; a worker's parent is a mold.
  module Ppid
    def ppid
      Reforkd.worker_here? ? Reforkd.master_pid : super
    end
  end

  class Config
    def server
      @server ||= Reforkd.server = Server.make(self)
    end

    # In a worker. `serve` is its loop: it raises Promoted in a new mold.
    def run_worker_loop(nr, generation, pid, requests, serve)
      server.reforkd_serve(serve, Worker.new(nr, generation, pid, requests, false))
    rescue Promoted
      nil
    end

    def run_process_client(serve)
      server.reforkd_client(serve)
    end

    # What a gem or the file has put around them: bit 0 the loop, bit 1 a request.
    def patched
      server.reforkd_patched
    end
  end

  # Unwinds what is around the loop in a worker that has become a mold.
  class Promoted < Exception; end

  # What a callback's server answers.
  module ServerMethods
    Request = Struct.new(:env)
    BASES = %i[worker_loop process_client].freeze

    attr_reader :config

    def reforkd_take(config)
      @config = config
      @request = Request.new({})
    end

    def reforkd_patched
      BASES.each_with_index.sum do |name, i|
        method(name).source_location == ServerMethods.instance_method(name).source_location ? 0 : 1 << i
      end
    end

    def reforkd_serve(serve, worker)
      @reforkd_loop = serve
      worker_loop(worker)
    end

    def reforkd_client(serve)
      @reforkd_unit = serve
      process_client(Object.new)
    end

    def worker_loop(_worker)
      @reforkd_loop.call
    end

    # The env is a copy: some clear it, and rack.after_reply is still to come.
    def process_client(_client, *)
      @request.env = @reforkd_unit.call&.dup || {}
    end

    def logger
      @config[:logger]
    end

    # After USR2 the old master's file has another name; who compares the two
    # must not take its own master for the one to retire.
    def pid
      file = @config[:pid]
      old = "#{file}.oldbin"
      file && File.exist?(old) && File.read(old).to_i == Reforkd.master_pid ? old : file
    rescue SystemCallError
      file
    end

    def worker_processes
      Reforkd.workers_wanted || @config[:worker_processes] || SETTINGS[:worker_processes][1]
    end

    def timeout
      @config[:timeout] || SETTINGS[:timeout][1] / 1000
    end

    def early_hints
      @config[:early_hints] || false
    end

    def preload_app
      @config[:preload_app] != false
    end

    def app
      Reforkd.app
    end

    %i[before_fork after_fork before_exec after_worker_exit after_worker_ready user default_middleware
      client_body_buffer_size check_client_connection rewindable_input].each do |name|
      define_method(name) { @config[name] }
    end

    def listeners
      @config.listeners_wanted.map(&:first)
    end

    def listener_opts
      @config.listener_opts
    end

    # In after_fork: a listener of this worker's own.
    def listen(address, options = {})
      @config.listen_here(address, options)
    end
  end

  class Server
    class << self
      def make(config)
        server = family(config).allocate
        server.reforkd_take(config)
        server
      end

      # A class of a gem's answers as ours does; before anyone patches it.
      def take_over(theirs)
        ServerMethods.instance_methods(false).each do |name|
          theirs.define_method(name, ServerMethods.instance_method(name))
        end
      end

      private

      def family(config)
        name = { unicorn: :Unicorn, pitchfork: :Pitchfork }[config.personality_name]
        name ? Object.const_get(name)::HttpServer : Server
      end
    end
    take_over(self)
  end

  # One worker, or the mold that was one.
  class Worker
    attr_reader :nr, :generation, :pid, :requests_count, :switched

    def initialize(nr, generation, pid, requests, mold)
      @nr = nr
      @generation = generation
      @pid = pid
      @requests_count = requests
      @mold = mold
    end

    def ==(other)
      other.is_a?(Integer) ? other == @nr : super
    end
    alias eql? ==

    def hash
      @nr.hash
    end

    def mold?
      @mold
    end

    def worker?
      !@mold
    end

    def service?
      false
    end

    def ready?
      true
    end

    def outdated?
      false
    end

    # unicorn's heartbeat: the scoreboard is ours.
    def tick
      0
    end

    def tick=(_value)
      nil
    end

    def close
      nil
    end

    def to_log
      @mold ? "mold gen=#{@generation} pid=#{@pid}" : "worker=#{@nr} gen=#{@generation} pid=#{@pid}"
    end

    # Becomes another user now; the `user` directive does it after the callbacks.
    # The group may be [group, group of the log files].
    def user(name, group = nil, chroot = false)
      require "etc"
      account = Etc.getpwnam(name)
      group, log_group = group
      gid = group ? Etc.getgrnam(group).gid : account.gid
      log_gid = log_group ? Etc.getgrnam(log_group).gid : gid
      Logs.give(account.uid, log_gid)
      if Process.euid != account.uid
        Process.initgroups(name, gid)
        Process::GID.change_privilege(gid)
        if chroot
          root = chroot == true ? Dir.pwd : chroot
          Dir.chroot(root)
          Dir.chdir("/")
        end
        Process::UID.change_privilege(account.uid)
      end
      @switched = true
    end
  end

  # What beside the workers runs the file's own.
  class Service < Worker
    def worker?
      false
    end

    def service?
      true
    end

    def to_log
      "service gen=#{generation} pid=#{pid}"
    end
  end
end
