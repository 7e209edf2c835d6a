# frozen_string_literal: true

module Reforkd
  module Steep
    # What Steep's server holds as one worker: a leased process that is replaced
    # by another one, or released for a while, without its noticing.
    class Slot < ::Steep::Server::WorkerProcess
      # Read as one stream, whichever process has said it.
      class Messages
        def initialize
          @queue = Thread::Queue.new
        end

        attr_reader :queue

        def read
          while (message = @queue.pop)
            yield message
          end
        end
      end

      # The thread that writes has the session, nil while there is none; those that
      # queue messages for it know by `resting` what it will be at their place.
      attr_reader :session
      attr_accessor :resting

      def initialize(pool, name:, index:, arguments:)
        @pool = pool
        @arguments = arguments
        @ended = Thread::Queue.new
        @ending = false
        super(reader: Messages.new, writer: self, stderr: nil, wait_thread: Thread.new { @ended.pop }, name: name, index: index)
        slot = self
        wait_thread.define_singleton_method(:pid) { slot.pid }
        @session = fresh
        touch
      end

      def pid
        session&.lease&.pid
      end

      def write(message)
        @ending = true if message[:method] == "shutdown"
        session ? session.write(message) : answer(message)
      rescue SystemCallError, IOError
        nil # it has ended, which its reader tells
      end
      alias << write

      def kill(force: false)
        return give_up unless (one = session)

        one.kill(force ? "KILL" : "TERM")
        wait_thread.join unless force
      end

      # Something was said to it, or by it.
      def touch
        @touched = now
      end

      def idle_for
        now - @touched
      end

      # A worker more, of the newest generation, that nobody talks to yet.
      def fresh
        Session.new(@pool, name, @arguments).tap do |one|
          one.listen(method(:heard), method(:ended))
        end
      end

      # In the thread that writes, between two messages: from here on it is that
      # one, which is told first what it lacks. The former goes when its work is done.
      def replace(one, lacking)
        return one.kill("TERM") && nil if @ending || @over

        one.write(lacking)
        touch
        former = take(one)
        ended(one) if one.over?
        former
      rescue SystemCallError, IOError
        session ? nil : give_up # that one has died: the former stays, if there is one
      end

      # In the same: from here on it is nobody, until it is replaced.
      def release
        take(nil) unless @ending || @over
      end

      # There will be no other: the server ends, as when a worker has died.
      def give_up
        return if @over

        @over = true
        @session = nil
        reader.queue.close
        @ended << nil
      end

      private

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end

      def take(one)
        former, @session = @session, one
        former&.finish
        former
      end

      # While nobody is there: what is no work, and the end.
      def answer(message)
        case message[:method]
        when "shutdown" then reader.queue << { id: message[:id], result: nil }
        when "exit" then give_up
        end
      end

      def heard(message)
        touch
        reader.queue << message
      end

      def ended(one)
        give_up if one.equal?(@session)
      end
    end

    # Something to do in the thread that writes, in its turn.
    class Turn < ::Steep::Server::WorkerProcess
      def initialize(&block)
        super(reader: nil, writer: nil, stderr: nil, wait_thread: nil, name: "reforkd")
        @block = block
      end

      def <<(_message)
        @block.call
      end
    end
  end
end
