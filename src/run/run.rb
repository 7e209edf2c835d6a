# frozen_string_literal: true

# What a run block is given, and what run/run.c asks of it. The block has a
# thread of its own; the main thread calls the methods at the end.
module Reforkd
  class Run
    class << self
      attr_reader :now # keeps it from the collector

      def take(*about)
        @now = new(*about)
      end
    end

    attr_reader :nr, :generation

    def initialize(config, nr, generation, wake, listeners)
      @config = config
      @nr = nr
      @generation = generation
      @wake = IO.for_fd(wake, autoclose: false)
      @listeners_fds = listeners
      config.listeners_announce(listeners)
      @lock = Mutex.new
      @changed = ConditionVariable.new
      @on_stop = []
      @done = 0
      @sign = clock
    end

    # A safe point: this process may be forked here. False: it is to end.
    def running?
      beat
      rest(0) if @wanted
      !@stopping
    end

    # The same, and rests so long, or until it is to end; nil: until then.
    def wait(seconds = nil)
      rest(seconds)
      beat
      !@stopping
    end

    def stopping?
      !!@stopping
    end

    # In the main thread, when it is to end.
    def on_stop(&block)
      @lock.synchronize { @on_stop << block }
    end

    # One unit of work is done: for status, refork_after and worker_max_requests.
    def done(count = 1)
      @done += count
      beat
      wake
    end

    # It lives, though it does not come to a safe point.
    def beat
      @sign = clock
    end

    def pool
      Reforkd.pool
    end

    # Those of the pool; also by LISTEN_FDS.
    def listeners
      require "socket"
      @listeners ||= @listeners_fds.map { |fd| Socket.for_fd(fd).tap { |io| io.autoclose = false } }
    end

    # --- run.c's

    def every
      @config.ticks.map(&:first)
    end

    def start
      block = @config[:run] or return
      beat
      @thread = Thread.new { body(block) }
      @thread.name = "run"
      @thread.report_on_exception = false
    end

    # True: at once again.
    def tick(index)
      call(@config.ticks[index].last) == :again
    end

    # nil while there is something to wait for, else a status to leave with.
    def ended
      return @status if @thread

      @stopping ? 0 : nil
    end

    def done_in_all
      @done
    end

    def quiet_ms
      return 0 if !@thread || @resting || !@thread.alive?

      ((clock - @sign) * 1000).to_i
    end

    # It is to end when nobody is queued any more: a thread that accepts. From
    # here on accept may say EINVAL, for nobody.
    def serves
      @last_call = true
      @thread&.alive?
    end

    def stop
      @lock.synchronize do
        @stopping = true
        @changed.broadcast
      end
      @on_stop.each do |block|
        call(block)
      rescue StandardError => error
        @config.log_error("on_stop", error)
      end
    end

    # What the block traps is what it knows of ends.
    def terminate
      Process.kill(:TERM, Process.pid)
    end

    # True: the block rests, and does so until it is released.
    def hold
      return true unless @thread&.alive?

      @lock.synchronize do
        @wanted = true
        @held = @resting
        !!@held
      end
    end

    def release
      @lock.synchronize do
        @wanted = @held = false
        @changed.broadcast
      end
    end

    private

    def body(block)
      call(block)
      @status = 0
    rescue SystemExit => error
      @status = error.status
    rescue Exception => error
      @status = @last_call && error.is_a?(Errno::EINVAL) ? 0 : 1
      @config.log_error("run", error) unless @status == 0
    ensure
      @status ||= 1 # the thread was killed
      wake
    end

    def call(block)
      arguments = [self, Reforkd.state]
      block.lambda? && block.arity >= 0 ? block.call(*arguments.first(block.arity)) : block.call(*arguments)
    end

    # The main thread holds it by @held; then it may be longer than asked for.
    def rest(seconds)
      @lock.synchronize do
        until_s = seconds && clock + seconds
        @resting = true
        wake
        while @wanted || @held || !(@stopping || (until_s && until_s <= clock))
          @changed.wait(@lock, @wanted || @held || until_s.nil? ? nil : until_s - clock)
        end
        @resting = false
      end
    end

    def wake
      @wake.write_nonblock([1].pack("Q"), exception: false)
    end

    def clock
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
