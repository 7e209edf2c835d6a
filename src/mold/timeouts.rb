# frozen_string_literal: true

# What the application may know and say of the time that its unit of work has,
# and what happens to one whose time is over.
module Reforkd
  # env["pitchfork.timeout"]: one object for all requests, because a worker runs
  # one at a time; it speaks of the one that runs.
  class TimeoutHandler
    # What after_worker_timeout is told of the thread that hangs.
    Info = Struct.new(:thread, :rack_env) do
      def copy_thread_variables!
        here = Thread.current
        thread.keys.each { |key| here[key] = thread[key] }
        thread.thread_variables.each { |name| here.thread_variable_set(name, thread.thread_variable_get(name)) }
      end
    end

    # When the soft limit passes, as Process.clock_gettime(CLOCK_MONOTONIC) counts.
    def deadline
      Reforkd.unit_deadline
    end

    def extend_deadline(extra_time)
      Reforkd.unit_extend(Integer(extra_time))
      self
    end

    def inspect
      "#<Pitchfork::HttpServer::TimeoutHandler##{object_id}>"
    end
  end
  TIMEOUT = TimeoutHandler.new

  # For any kind of work. False: nothing runs that has a limit.
  def self.extend_deadline(seconds)
    unit_extend(Float(seconds)) ? true : false
  end

  class Config
    # A signal, or what names one when it is told the process's number.
    def timeout_signal(value = nil, &block)
      seen(:timeout_signal)
      value = block || value
      return timeout_signal_by(value) if value.respond_to?(:call)

      @set[:timeout_signal] = signal_number(value) ||
        complain("timeout_signal must be a symbol or a proc", "timeout_signal :ABRT, or { |pid| :KILL }")
      @set.delete(:timeout_signal_by)
    end

    # In the mold, for the master: 0 is the file's own, or KILL.
    def timeout_signal_within(seconds, pid)
      return 0 unless (by = @set[:timeout_signal_by])

      said = Reforkd.within(seconds, "timeout_signal (#{@places[:timeout_signal]})") { by.call(pid) }
      signal_number(said) || raise(ArgumentError, "timeout_signal said #{said.inspect}, which is no signal")
    end

    # Where the file says what is to be done before a worker over its limit is
    # killed; "" when it does not.
    def timeout_place
      hook?(:after_worker_hard_timeout) ? hook_place(:after_worker_hard_timeout) : (@set[:timeout_signal_by] ? @places[:timeout_signal] : "")
    end

    # At a safe point of the thread that hangs, also in a trap's.
    def soft_timeout(main, env, *about)
      unit = Reforkd.unit
      thread = Thread.new { soft_timeout_said(main, env, unit, about) }
      thread.name = @personality == :pitchfork ? "Pitchfork::Timeout" : "after_worker_timeout"
      thread.thread_variable_set(:fork_safe, true)
    end

    private

    def soft_timeout_said(main, env, unit, about)
      logger = own_logger || default_logger
      logger.error("#{Worker.new(*about, false).to_log} timed out, exiting") if @personality == :pitchfork
      run_hook(:after_worker_timeout, *about, TimeoutHandler::Info.new(main, env)) if hook?(:after_worker_timeout)
    rescue Exception => error
      logger.error("after_worker_timeout error: #{error.message} (#{error.class})")
      error.backtrace&.each { |line| logger.error(line) }
    ensure
      soft_timeout_leave(main, unit) if @personality == :pitchfork
    end

    # pitchfork ends the process here. What has finished meanwhile is not torn
    # off; nor is what the application goes on with when it rescues even this.
    def soft_timeout_leave(main, unit)
      Process.kill(:QUIT, Process.pid)
      main.raise(SystemExit.new(0, "timed out")) if Reforkd.unit == unit
    end

    def timeout_signal_by(callable)
      arity = callable.respond_to?(:arity) ? callable.arity : 1
      unless arity == 1 || (arity.negative? && ~arity <= 1)
        complain("timeout_signal=#{callable.inspect} has invalid arity: #{arity} (need 1)")
      end
      @set[:timeout_signal_by] = callable
    end

    # nil when there is no such signal.
    def signal_number(value)
      number = value.is_a?(Integer) ? value : Signal.list[value.to_s.delete_prefix("SIG")]
      number if number&.between?(1, 64) && (value.is_a?(Integer) || value.is_a?(Symbol) || value.is_a?(String))
    end
  end
end
