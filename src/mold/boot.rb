# frozen_string_literal: true

# From the command line and the file to the settings: what mold/config.c calls.
module Reforkd
  # "file:line" of the first frame that is not ours.
  def self.place(locations)
    found = locations&.find { |l| !l.path.start_with?("<reforkd>", "<internal:") && l.path != "-e" }
    found ? "#{found.path}:#{found.lineno}" : "command line"
  end

  # Asked of Ruby, since its own handler and a trap's are one C function. nil is
  # a handler of ours.
  def self.untrapped?(signo)
    was = Signal.trap(signo, "DEFAULT")
    return true if [nil, "DEFAULT", "SYSTEM_DEFAULT"].include?(was)

    Signal.trap(signo, was)
    false
  end

  class Config
    # What unicorn and pitchfork run in their masters: worth a HOOK message.
    MASTER_HOOKS = { hook_after_worker_exit: :after_worker_exit, hook_after_monitor_ready: :after_monitor_ready }.freeze
    INTERNAL = %i[env_defaults ticks listeners_announce log_error exec_image start_remember server run_worker_loop run_process_client patched personality_name front listen_here fds_here names_here
      drop_here listener_opts soft_timeout timeout_signal_within timeout_place state_restore state_dump hook_place run_hook_within lease_run log_within evaluate block personality_number app_load outputs_reopen].freeze
    NUMBERS = { native: 0, unicorn: 1, pitchfork: 2 }.freeze

    # tail: "name=value" NUL ..., as START brings them.
    def self.load(tail, state = nil)
      options = Hash.new { |hash, key| hash[key] = [] }
      tail.split("\0").each do |pair|
        name, value = pair.split("=", 2)
        options[name] << value.force_encoding(Encoding.default_external)
      end
      config = Reforkd.config = new(options)
      config.state_restore(state) if state
      config.tap(&:evaluate)
    end

    def evaluate
      start_remember
      key_take
      ARGV.clear unless Reforkd.handed # it held room for titles
      environment_set
      $stdout.sync = $stderr.sync = true
      evaluate_file
      pools_evaluate
      decide_personality
      name_default_logger
      family_arrives
      family_checks
      if @personality == :native && @set[:preload_app] == false
        @notes << "preload_app false is ignored: the application is loaded once, by the mold"
      end
      kind_decide
      embedded_options if @kind == :rack
      listeners_decide
      @set[:oob_gc] = false if @kind == :lease && !@set.key?(:oob_gc)
      family_defaults
      rails_folders
      cross_checks
    end

    def personality_name
      @personality
    end

    def personality_number
      NUMBERS.fetch(@personality)
    end

    # "name=value" NUL ... for the master, ipc/settings.c.
    def block
      pairs = SETTINGS.filter_map { |name, row| [name, encode(name, row[0])] if @set.key?(name) && !@set[name].nil? }
      pairs << [:kind, KINDS.fetch(@kind)]
      pairs << [:pool, @pools.keys.join(",")] unless @pool
      pairs << [:service, 1] if hook?(:before_service_worker_ready) && !@pool
      pairs << [:shared_sockets_allow, 1] if @set[:shared_sockets] == :allow
      MASTER_HOOKS.each { |setting, hook| pairs << [setting, hook_place(hook)[0, 4095]] if hook?(hook) }
      pairs << [:hook_after_hard_timeout, timeout_place[0, 4095]] unless timeout_place.empty?
      pairs << [:has_logger, 1] if own_logger
      pairs << [:config_file, @file_found] if @file
      pairs << [:rackup, File.expand_path(@rackup)] if @rackup
      pairs << [:personality_why, @why[0, 255]]
      pairs << [:refork_after, @set[:refork_after].map { |limit| limit || "false" }.join(",")] if @set[:refork_after]&.any?
      pairs.concat(places)
      pairs.concat(listen_rows)
      pairs.map { |name, value| "#{name}=".b + value.to_s.b + "\0" }.join
    end

    # What workers are given: an application, or what the boot block has made.
    def app_load
      app = @kind == :rack ? rack_load : (Reforkd.state = lease_boot) || true
      Reforkd.load_libraries
      app
    end

    def outputs_reopen
      { stderr_path: $stderr, stdout_path: $stdout }.each do |name, io|
        path = @set[name]
        next if path.nil? || path.empty?

        File.open(File.expand_path(path), "ab") { |file| io.reopen(file) }
        io.sync = true
      end
      File.umask(@set[:umask]) if @set[:umask]
    end

    private

    def rack_load
      plain = option("no_default_middleware") || @set[:default_middleware] == false
      middleware = plain ? [] : App.middleware(@personality, ENV["RACK_ENV"])
      Gem.refresh if @personality != :native && defined?(Gem) && Gem.respond_to?(:refresh)
      App.load(@rackup || @set[:rack], @rackup ? false : @rack_makes_app, middleware)
    end

    # Before the application: what it patches must be there.
    def family_arrives
      Compat.bring(:Unicorn) if @personality == :unicorn
      Compat.bring(:Pitchfork) if @personality == :pitchfork
      Process.singleton_class.prepend(Ppid) if @personality == :unicorn
      server
    end

    # Where a directive that nobody wrote into the file comes from.
    def at(place)
      @place = place
      yield
    ensure
      @place = nil
    end

    # Rows of settings.def that a directive of another name sets.
    ROWS = { shared_sockets: %i[shared_sockets_allow], user: %i[user group], timeout: %i[timeout timeout_soft],
      malloc: %i[malloc_library malloc_arena_max malloc_trim], refork: %i[refork_auto],
      oom_score_adj: %i[oom_score_adj_master oom_score_adj_mold oom_score_adj_worker] }.freeze

    def places
      @places.flat_map do |name, place|
        ROWS.fetch(name, [name]).filter_map { |row| [:place, "#{row}\t".b + printable(place)] if SETTINGS.key?(row) }
      end
    end

    # One line of a message, whatever the file is called.
    def printable(place)
      place.b.gsub(/[\x00-\x1f\x7f]/n, "?")
    end

    def option(name)
      @options[name].last if @options.key?(name) && @options[name].last != ""
    end

    def evaluate_file
      handed_take if Reforkd.handed
      @file = option("config") || default_file
      return unless @file

      @file_found = File.expand_path(@file) # before working_directory moves us
      source = read_file
      instance_eval(source, @file, 1)
    rescue ConfigError, SignalException
      raise
    rescue Exception => error
      raise ConfigError, one_line(error)
    end

    def default_file
      return if Reforkd.handed

      names = []
      names << "config/reforkd.rb" if option("default_config")
      names << "config/pitchfork.rb" if option("program") == "pitchfork"
      names.find { |path| File.file?(path) }
    end

    def read_file
      File.read(@file, encoding: Encoding::UTF_8)
    rescue SystemCallError => error
      raise ConfigError, "#{@file}: cannot be read: #{plain(error)} (is the path right, relative to #{Dir.pwd}?)"
    end

    # Any exception as "file:line: what (remedy)".
    def one_line(error)
      where = Reforkd.place(error.backtrace_locations)
      case error
      when SyntaxError then syntax_line(error.message)
      when SystemExit then "#{where}: the file called exit(#{error.status}) (a configuration must end normally)"
      when LoadError then "#{where}: #{first_line(error)} (install it, or add it to the Gemfile or to -I)"
      else "#{where}: #{first_line(error)} (#{error.class})"
      end
    end

    def first_line(error)
      message = error.respond_to?(:original_message) ? error.original_message : error.message
      message.to_s.lines.first.to_s.strip
    end

    # 3.1: "file:3: syntax error, unexpected ..."; 3.4: a drawing with carets.
    def syntax_line(message)
      lines = message.lines.map(&:strip)
      place = lines.first.to_s[/\A(.+?:\d+):/, 1] || @file
      drawn = message[/\^++~*+[ \t]*(\S.*)$/, 1]
      said = drawn || lines.first.to_s.sub(/\A.+?:\d+:\s*/, "")
      "#{place}: syntax error: #{said.sub(/\Asyntax error,?\s*/, "")}"
    end

    def decide_personality
      @personality, @why = personality_so_far
      return if NUMBERS.key?(@personality)

      raise ConfigError, "command line: personality #{@personality} is not known (native, unicorn or pitchfork)"
    end

    # The file may have asked for it before that was known.
    def name_default_logger
      @set[:logger].progname ||= PITCHFORK_PROGNAME if @personality == :pitchfork && @set.key?(:logger) && !own_logger
    end

    # With the reason. Final when the whole file was read.
    def personality_so_far
      program = option("program").to_s
      families = @families.map(&:first).uniq - [:native]
      native = @families.find { |family, _| family == :native }
      if @set.key?(:personality) then [@set[:personality], "the file says so"]
      elsif option("personality") then [option("personality").to_sym, "the command line says so"]
      elsif %w[unicorn unicorn_rails pitchfork].include?(program) then [program[/unicorn|pitchfork/].to_sym, "started as #{program}"]
      elsif native then [:native, "the file uses #{native[1]}"]
      elsif families.size == 2 then [:native, "the file uses both unicorn's and pitchfork's directives"]
      elsif families.size == 1 then [families[0], "the file uses #{@families.find { |f, _| f == families[0] }[1]}"]
      elsif @file && File.basename(@file).match?(/\Aunicorn.*\.rb\z/) then [:unicorn, "the file is called #{File.basename(@file)}"]
      else [:native, @file ? "nothing in the file says otherwise" : "there is no configuration file"]
      end
    end

    # unicorn's own: "#\ -p 9292 -E production" in config.ru, read after the file.
    def embedded_options
      @rackup = (option("rackup") unless @pool) || (@set[:rack].is_a?(String) ? @set[:rack] : nil)
      @rackup ||= "config.ru" unless @set[:rack]
      return unless @rackup
      unless File.readable?(@rackup) && File.file?(@rackup)
        place = "#{@places[:rack]}: " if @set[:rack] && (@pool || !option("rackup"))
        raise ConfigError, "#{place}rackup file (#{@rackup}) not readable" unless @personality == :native

        raise ConfigError, "#{place}#{@rackup}: not readable (a rackup file, or rack { App } in the configuration)"
      end
      return unless @personality == :unicorn && @rackup.end_with?(".ru")

      line = File.read(@rackup, encoding: Encoding::UTF_8)[/^#\\(.*)/, 1]
      embedded_line(line.split) if line
      environment_set
    end

    # -l adds to the file's, in every personality; so do -o and -p, together.
    def extra_listener
      @options["listen"].each { |address| listen(address) } if @options.key?("listen")
      host, port = option("host"), option("port")
      listen("#{host&.include?(":") ? "[#{host}]" : host || "0.0.0.0"}:#{port || 8080}") if host || port
    end

    # The command line's and the environment's are the default pool's.
    def listeners_decide
      return if @pool
      return listeners_none if @kind == :none
      return if @kind == :lease

      extra_listener unless @kind == :run
      @kind == :run ? inherited_listeners : from_environment
    end

    # puma's variables, where the file and the command line are silent.
    def from_environment
      if @personality == :native
        at("environment (PORT)") { listen("0.0.0.0:#{ENV["PORT"]}") } if @listeners_wanted.empty? && ENV["PORT"].to_s != ""
        workers = ENV["WEB_CONCURRENCY"].to_s
        unless @set.key?(:worker_processes) || workers.empty?
          @set[:worker_processes] = workers == "auto" ? processors : number_from_environment("WEB_CONCURRENCY", workers)
          @places[:worker_processes] = "environment (WEB_CONCURRENCY)"
        end
      end
      at("command line") { pid(option("pid")) } if option("pid") && !@set.key?(:pid)
      inherited_listeners
      at("") { listen("0.0.0.0:8080") } if @listeners_wanted.empty?
    end

    # Served whether the file names them or not.
    def inherited_listeners
      queues = @options.fetch("inherited", []).map { |name| name.start_with?("/") ? name : name[/[^#]+/] }.tally
      queues.each do |address, count|
        next if @listeners_wanted.any? { |other,| other == address }

        at("") { listen(address, count > 1 ? { queues: count, queues_per_worker: count } : {}) }
      end
    end

    def number_from_environment(name, value)
      max = SETTINGS[:worker_processes][3]
      return value.to_i if value.match?(/\A\d+\z/) && value.to_i.between?(1, max)
      return 1 if value == "0"

      raise ConfigError, "environment: not an integer: #{name}=#{value.inspect} (1 to #{max}, or auto)"
    end

    def processors
      require "etc"
      Etc.nprocessors
    end

    def family_defaults
      refork_default
      task_defaults if @kind == :run
      @set[:preload_app] = @personality != :unicorn || @set[:preload_app] == true
      return if @personality == :native

      @set[:keepalive] = false unless @set.key?(:keepalive)
      @set[:http_compat] = true unless @set.key?(:http_compat)
      outputs_default
      limits_default
      # On a terminal a debugger reads from it, and ^C is for all.
      @set[:setpgid] = !$stdin.tty? if @personality == :pitchfork && !@set.key?(:setpgid)
    end

    def outputs_default
      return unless option("daemonize")

      %i[stderr_path stdout_path].each { |name| @set[name] = "/dev/null" unless @set.key?(name) }
    end

    def limits_default
      pitchfork_limits if @personality == :pitchfork
      # A stop waits for `timeout`: no kept connection prolongs it.
      @set[:drain_timeout] = @set.fetch(:timeout, 60) unless @set[:keepalive] || @set.key?(:drain_timeout)
    end

    def pitchfork_limits
      @set[:spawn_timeout] = 10 unless @set.key?(:spawn_timeout)
      return unless @timeout_alone || !@set.key?(:timeout)

      @set[:timeout_soft] = @set.fetch(:timeout, 20)
      @set[:timeout] = @set[:timeout_soft] + 2
    end

    def cross_checks
      %i[pid stderr_path stdout_path control].each do |name|
        path = @set[name]
        next if path.nil? || path.empty?

        path = File.expand_path(path)
        next if File.writable?(path) && !File.directory?(path)
        next if !File.exist?(path) && File.writable?(File.dirname(path)) && File.directory?(File.dirname(path))

        raise ConfigError, "#{@places[name] || "command line"}: directory for #{name}=#{path} not writable (make it, or choose another)"
      end
    end

    def encode(name, kind)
      value = @set[name]
      case kind
      when :MS then (value * 1000).round
      when :FLAG then value ? 1 : 0
      when :COUNT then name == :restart ? RESTARTS.fetch(value) : value
      when :TEXT then %i[pid control lease_socket stderr_path stdout_path].include?(name) && value != "" ? File.expand_path(value) : value
      else value
      end
    end
  end
end
