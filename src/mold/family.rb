# frozen_string_literal: true

# What unicorn and pitchfork refuse in a file that native takes. Asked when the
# whole file was read, for only then is it known whose file it is.
module Reforkd
  # unicorn's "stable interface": what USR2 executes. A file may change it.
  START_CTX = { argv: [], cwd: nil } unless const_defined?(:START_CTX, false)

  class Config
    # What a new master shall be, once before_exec has run: the program, where,
    # and how the environment differs from the one that this one started with.
    def exec_image(seconds)
      before = ENV.to_h
      if hook?(:before_exec) then run_hook_within(seconds, :before_exec, 0, 0, 0, 0, nil)
      else (own_logger || default_logger).info("forked child re-executing...") # unicorn's own before_exec
      end
      now = ENV.to_h
      pairs = [["program", START_CTX[0]], ["cwd", START_CTX[:cwd]]]
      pairs.concat(START_CTX[:argv].map { |word| ["arg", word] })
      pairs.concat((@environment.keys - now.keys).map { |name| ["unset", name] })
      pairs.concat(now.reject { |name, value| @environment[name] == value }.map { |name, value| ["env", "#{name}=#{value}"] })
      pairs.map { |name, value| "#{name}=#{value}\0".b }.join
    ensure
      ENV.replace(before) if before
    end

    # Before the file is evaluated.
    def start_remember
      @environment = ENV.to_h
      START_CTX[0] = option("arg0")
      START_CTX[:cwd] = option("start_cwd")
      START_CTX[:argv] = @options.fetch("arg", []).map(&:dup)
    end

    private

    # unicorn_rails has an environment of its own, and so do its files.
    def environment_set
      rails = option("program") == "unicorn_rails"
      name = rails ? "RAILS_ENV" : "RACK_ENV"
      ENV[name] = option("env") if option("env")
      ENV[name] ||= "development"
      ENV["RAILS_RELATIVE_URL_ROOT"] = option("path") if option("path")
    end

    # In config.ru: "#\\ -p 9292 -E production". -N is the command line's alone.
    def embedded_line(words)
      require "optparse"
      parser = OptionParser.new
      { "port" => "-p", "host" => "-o", "env" => "-E", "listen" => "-l" }.each do |name, flag|
        parser.on(flag, "--#{name} X") { |value| @options[name] << value }
      end
      parser.on("-N", "--no-default-middleware") {}
      parser.on("-D", "--daemonize") { @notes << "-D in #{@rackup} is ignored: it belongs on the command line" }
      parser.on("-s", "--server X") {}
      parser.parse(words)
    rescue OptionParser::ParseError => error
      raise ConfigError, "#{@rackup}: #{error.message} (in the line that begins with #\\)"
    end

    # What unicorn_rails makes, once working_directory is bound.
    def rails_folders
      return unless option("program") == "unicorn_rails"

      require "fileutils"
      FileUtils.mkdir_p(%w[cache pids sessions sockets].map { |name| "tmp/#{name}" })
      @set[:pid] = "tmp/pids/unicorn.pid" if option("daemonize") && !@set.key?(:pid)
    end

    def family_checks
      return if @personality == :native

      timeout_check
      before_fork_check
      nopush_check
      moved_check if @personality == :unicorn
    end

    def timeout_check
      return unless @set.key?(:timeout)

      name = @personality == :pitchfork ? :soft_timeout : :timeout
      value = @personality == :pitchfork ? @set.fetch(:timeout_soft, @set[:timeout]) : @set[:timeout]
      complain_at(:timeout, "not an integer: #{name}=#{value.inspect}") unless value.is_a?(Integer)
      complain_at(:timeout, "too low (< 3): #{name}=#{value}") if value < 3
    end

    def before_fork_check
      arity = @set[:before_fork].respond_to?(:arity) ? @set[:before_fork].arity : -1
      need = @personality == :unicorn ? 2 : 1
      return if arity.negative? || arity == need

      complain_at(:before_fork, "before_fork=#{@set[:before_fork].inspect} has invalid arity: #{arity} (need #{need})")
    end

    def nopush_check
      return unless @set[:check_client_connection]
      return unless @listeners_wanted.any? { |_, options| options.include?("\ttcp_nopush=1") }

      complain_at(:check_client_connection, "check_client_connection is incompatible with tcp_nopush:true")
    end

    # HUP would read it there.
    def moved_check
      return unless @set[:working_directory] && @file && !@file.start_with?("/", "~")
      return if File.readable?(File.join(@set[:working_directory], @file))

      complain_at(:working_directory, "config_file=#{@file} would not be accessible in " \
        "working_directory=#{@set[:working_directory]}", "give -c an absolute path")
    end

    def complain_at(name, what, remedy = nil)
      raise ConfigError, "#{@places[name] || "command line"}: #{what}#{" (#{remedy})" if remedy}"
    end
  end
end
