# frozen_string_literal: true

# The configuration file's language. A file is evaluated with a Config as self;
# plain settings are checked by the table that settings.def became.
module Reforkd
  # Its message is the whole line for the operator: "file:line: what (remedy)".
  class ConfigError < StandardError; end

  class Config
    # Who knows a directive decides the personality; what stands in none of
    # these is neutral: both families, or everyone, write it.
    UNICORN = %i[preload_app after_fork before_exec worker_exec default_middleware listeners].freeze
    PITCHFORK = %i[after_worker_fork after_mold_fork after_monitor_ready before_worker_exit
      after_request_complete after_worker_timeout after_worker_hard_timeout timeout_signal
      max_consecutive_spawn_errors setpgid before_service_worker_ready before_service_worker_exit].freeze
    NATIVE = %i[control rack boot_timeout hook_timeout drain_timeout keepalive keepalive_timeout client_head_timeout
      client_body_timeout client_write_timeout client_max_body_size canary_time heap_preparation
      compact yjit shared_sockets umask malloc gc oob_gc refork refork_cpu refork_min_gain
      refork_interval refork_candidates before_promotion after_promotion worker_memory_limit worker_max_requests memory_budget oom_score_adj pool].freeze

    COUNTS = %i[worker_processes refork_max_unavailable refork_candidates umask].freeze
    SECONDS = %i[spawn_timeout hook_timeout boot_timeout drain_timeout keepalive_timeout client_head_timeout
      client_body_timeout client_write_timeout canary_time refork_interval].freeze
    SIZES = %i[client_body_buffer_size client_max_body_size].freeze
    PITCHFORK_PROGNAME = "[Pitchfork]" # the default logger's
    FLAGS = %i[early_hints check_client_connection heap_preparation compact yjit setpgid].freeze
    TEXTS = %i[control pid stderr_path stdout_path].freeze

    attr_reader :set, :notes, :listeners_wanted

    def initialize(options)
      @options = options
      # configs poke it: set[:logger].level = 1
      @set = Hash.new { |hash, key| hash[key] = default_logger if key == :logger }
      @notes = []
      @families = []
      @places = {}
      @listeners_wanted = []
      @pools = {}
    end

    def [](key)
      @set[key]
    end

    COUNTS.each { |name| define_method(name) { |value| seen(name) and @set[name] = whole(name, value) } }
    SIZES.each { |name| define_method(name) { |value| seen(name) and @set[name] = whole(name, value) } }
    SECONDS.each { |name| define_method(name) { |value| seen(name) and @set[name] = seconds(name, value) } }
    FLAGS.each { |name| define_method(name) { |value| seen(name) and @set[name] = flag(name, value) } }
    TEXTS.each { |name| define_method(name) { |value| seen(name) and @set[name] = text(name, value) } }

    # unicorn: the hard limit; pitchfork: the soft one, and cleanup: on top.
    def timeout(value, soft: nil, cleanup: nil)
      seen(:timeout)
      unless value.is_a?(Numeric) || personality_so_far[0] == :native
        complain("not an integer: timeout=#{value.inspect}")
      end
      value = seconds(:timeout, value)
      @families << [:native, "timeout soft:"] if soft
      @families << [:pitchfork, "timeout cleanup:"] if cleanup
      if cleanup
        @set[:timeout_soft] = value
        @set[:timeout] = seconds(:timeout, value + seconds(:timeout, cleanup))
      else
        @set[:timeout] = value
        @set[:timeout_soft] = seconds(:timeout_soft, soft) if soft
        complain("timeout soft=#{soft} is not below timeout=#{value}", "the soft limit comes first") if soft && soft >= value
        @timeout_alone = soft.nil?
      end
    end

    def keepalive(value)
      return keepalive_timeout(value) && @set[:keepalive] = true if value.is_a?(Numeric)

      seen(:keepalive)
      @set[:keepalive] = flag(:keepalive, value)
    end

    # At once, as unicorn does: what follows in the file may be relative to it.
    def working_directory(path)
      seen(:working_directory)
      path = File.expand_path(text(:working_directory, path))
      Dir.chdir(path)
      ENV["PWD"] = START_CTX[:cwd] = path
      @set[:working_directory] = path
    rescue SystemCallError => error
      complain("cannot enter working_directory=#{path}: #{plain(error)}", "make the directory, or name another")
    end

    def user(name, group = nil)
      require "etc"
      seen(:user)
      found("user", name) { Etc.getpwnam(name) }
      found("group", group) { Etc.getgrnam(group) } if group
      @set[:user] = name
      @set[:group] = group
    end

    def logger(object)
      seen(:logger)
      %i[debug info warn error fatal].each do |method|
        next if object.respond_to?(method)

        complain("logger=#{object.inspect} does not respond to method=#{method}", "give it a Logger")
      end
      @set[:logger] = object
    end

    # The requests after which each generation reforks; the last repeats.
    def refork_after(*limits)
      seen(:refork_after)
      limits = limits.flatten(1)
      limits.each_with_index do |limit, i|
        next if (limit.nil? || limit == false) && i == limits.size - 1
        next whole(:refork_after, limit, min: 1, max: 2**53) if limit.is_a?(Integer)

        complain("not a number of requests: refork_after=#{limits.inspect}",
          "write numbers, [500, 1000, 2000]; the last may be false")
      end
      complain("too many: refork_after has #{limits.size} numbers", "64 at most; the last repeats") if limits.size > 64
      @set[:refork_after] = limits
    end

    def shared_sockets(value)
      seen(:shared_sockets)
      complain("shared_sockets=#{value.inspect} is neither :allow nor :refuse") unless %i[allow refuse].include?(value)
      @set[:shared_sockets] = value
    end

    def personality(value)
      known = %i[native unicorn pitchfork]
      complain("personality=#{value.inspect} is not known", "one of #{known.inspect}") unless known.include?(value.to_s.to_sym)
      @set[:personality] = value.to_s.to_sym
    end

    # "config.ru", an application, a block that makes it, or |env| the block is it.
    def rack(app = nil, &block)
      seen(:rack)
      given = block || app
      unless given.is_a?(String) || given.respond_to?(:call)
        complain("rack=#{given.inspect} is no application", 'write rack "config.ru", rack App or rack { App }')
      end
      @set[:rack] = given
      @rack_makes_app = !block.nil? && block.arity.zero?
    end

    def preload_app(value)
      seen(:preload_app)
      @set[:preload_app] = flag(:preload_app, value)
    end

    def worker_exec(value)
      seen(:worker_exec)
      @set[:worker_exec] = flag(:worker_exec, value)
    end

    def default_middleware(value)
      seen(:default_middleware)
      @set[:default_middleware] = flag(:default_middleware, value)
    end

    def rewindable_input(value)
      seen(:rewindable_input)
      @set[:rewindable_input] = flag(:rewindable_input, value)
    end

    # What unicorn accepts and RFC 9112 forbids; nothing that frames a body.
    def http_compat(value)
      seen(:http_compat)
      complain("http_compat=#{value.inspect} is neither :unicorn nor :strict") unless %i[unicorn strict].include?(value)
      @set[:http_compat] = value == :unicorn
    end

    # Starts of workers and molds that may fail in a row; without it there is no end.
    def max_consecutive_spawn_errors(count)
      seen(:max_consecutive_spawn_errors)
      @set[:max_consecutive_spawn_errors] = whole(:max_consecutive_spawn_errors, count, min: 1)
    end

    def own_logger
      logger = @set.key?(:logger) && @set[:logger]
      return nil unless logger

      device = logger.instance_variable_get(:@logdev)
      device = device.dev if device.respond_to?(:dev)
      on_terminal = [$stderr, $stdout].any? { |io| io.equal?(device) }
      on_terminal && plain_logger?(logger) ? nil : logger
    end

    def self.directives
      public_instance_methods(false) - %i[set notes listeners_wanted own_logger [] hook? run_hook] -
        Config::INTERNAL
    end

    private

    def seen(name)
      pool_allows(name) if @pool
      @places[name] = here(caller_locations)
      @families << [:unicorn, name] if UNICORN.include?(name)
      @families << [:pitchfork, name] if PITCHFORK.include?(name)
      @families << [:native, name] if NATIVE.include?(name)
      true
    end

    # What it writes is what the master writes by itself.
    def plain_logger?(logger)
      logger.instance_of?(::Logger) && logger.formatter.nil? && [nil, PITCHFORK_PROGNAME].include?(logger.progname) && logger.level <= ::Logger::INFO
    end

    def here(locations)
      @place || Reforkd.place(locations)
    end

    def default_logger
      require "logger"
      Logger.new($stderr, progname: @personality == :pitchfork ? PITCHFORK_PROGNAME : nil)
    end

    def whole(name, value, min: SETTINGS.fetch(name)[2], max: SETTINGS.fetch(name)[3])
      min = [min, 0].max
      complain("not an integer: #{name}=#{value.inspect}", "a whole number, #{min} to #{max}") unless value.is_a?(Integer)
      bounds(name, value, min, max)
    end

    def seconds(name, value)
      _, _, min, max = SETTINGS.fetch(name)
      complain("not a number: #{name}=#{value.inspect}", "seconds, 0.5 is fine") unless value.is_a?(Numeric) && value.real?
      complain("not a number: #{name}=#{value}", "seconds") unless value.finite?
      bounds(name, value, min / 1000.0, max / 1000)
    end

    def bounds(name, value, min, max)
      min = min.to_i if min == min.to_i
      complain("too low (< #{min}): #{name}=#{value}") if value < min
      complain("too high (> #{max}): #{name}=#{value}") if value > max
      value
    end

    def flag(name, value)
      complain("#{name}=#{value.inspect} not a boolean", "true or false") unless value == true || value == false
      value
    end

    def text(name, value)
      return "" if value.nil?

      value = value.to_path if value.respond_to?(:to_path)
      complain("not a string: #{name}=#{value.inspect}") unless value.is_a?(String)
      complain("#{name}=#{value.inspect} holds a zero byte") if value.include?("\0")
      max = SETTINGS.fetch(name)[3]
      complain("too long (> #{max} bytes): #{name}=#{value}") if value.bytesize > max
      value
    end

    def found(what, name)
      yield
    rescue ArgumentError, TypeError
      complain("can't find #{what} for #{name}", "getent #{what == "user" ? "passwd" : "group"} lists them")
    end

    # A system call's reason without the place that Ruby appends to it.
    def plain(error)
      error.message.sub(/ @ .*/m, "")
    end

    def complain(what, remedy = nil)
      raise ConfigError, "#{here(caller_locations)}: #{what}#{" (#{remedy})" if remedy}"
    end

    def method_missing(name, *_args)
      close = defined?(DidYouMean::SpellChecker) &&
        DidYouMean::SpellChecker.new(dictionary: Config.directives).correct(name).first
      complain("unknown directive: #{name}", close && "did you mean #{close}?")
    end

    def respond_to_missing?(_name, _all = false)
      false
    end
  end
end
