# frozen_string_literal: true

# Work that comes from nowhere: a block that runs until it is told to stop, and
# blocks that come again after a while.
module Reforkd
  class Config
    RESTARTS = { always: 0, on_failure: 1, never: 2 }.freeze
    TICKS_MAX = 16
    NO_LIMIT = 2_592_000 # seconds: the most that a timeout may be
    STOP_LIMIT = 30
    LISTENERS_MAX = 16

    def run(app = nil, &block)
      seen(:run)
      unless block && app.nil?
        complain("run takes a block", app ? "an application goes with rack" : "write run { |worker| ... }")
      end
      @set[:run] = block
    end

    # Again `every` so many seconds after its end; at once when it says :again.
    def tick(every, &block)
      seen(:tick)
      complain("tick takes a block", "write tick(60) { |worker| ... }") unless block
      unless every.is_a?(Numeric) && every.real? && every.finite? && every.between?(0.001, NO_LIMIT)
        complain("not a number: tick=#{every.inspect}", "seconds between two of them, 0.5 is fine")
      end
      complain("too many ticks", "#{TICKS_MAX} at most") if ticks.size >= TICKS_MAX
      @set[:ticks] = ticks + [[every, block]]
    end

    def restart(value)
      seen(:restart)
      complain("restart=#{value.inspect} is not known", "one of #{RESTARTS.keys.inspect}") unless RESTARTS.key?(value)
      @set[:restart] = value
    end

    # The block traps its signals itself, and is told to end by TERM.
    def signals(value)
      seen(:signals)
      complain("signals=#{value.inspect} is not known", "write signals :own, or leave it out") unless value == :own
      @set[:signals] = value
      @set[:signals_own] = true
    end

    def ticks
      @set[:ticks] || []
    end

    # As sd_listen_fds(3) has it; the environment is this worker's.
    def listeners_announce(fds)
      return unless fds.any? && fds == (3...3 + fds.size).to_a

      names = @listeners_wanted.map { |address,| address.gsub(/[^\x21-\x39\x3b-\x7e]/, "_") }
      ENV.update("LISTEN_FDS" => fds.size.to_s, "LISTEN_PID" => Process.pid.to_s, "LISTEN_FDNAMES" => names.join(":"))
    end

    def log_error(what, error)
      logger = own_logger || default_logger
      logger.error("#{what}: #{error.message} (#{error.class})")
      error.backtrace&.each { |line| logger.error(line) }
    end

    private

    def task_kind
      return :run unless @set[:rack] || @set[:worker]

      raise ConfigError, "#{@places[:run] || @places[:tick]}: a pool has one kind of work: rack, worker, or run and tick (put one of them into a pool :name)"
    end

    # Nobody waits for it: without a limit of its own there is none.
    def task_defaults
      if @listeners_wanted.size > LISTENERS_MAX
        raise ConfigError, "#{@listeners_wanted.last.last}: listen: a run block gets #{LISTENERS_MAX} sockets at most"
      end
      @set[:timeout] = NO_LIMIT unless @set.key?(:timeout)
      @set[:drain_timeout] = STOP_LIMIT unless @set.key?(:drain_timeout)
    end
  end
end
