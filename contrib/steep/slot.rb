# frozen_string_literal: true

module Reforkd
  module Steep
    # What Steep's server holds as one worker: a leased process that is replaced
    # by another one without its noticing.
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

      attr_reader :session

      def initialize(pool, name:, index:, arguments:)
        @pool = pool
        @arguments = arguments
        @ended = Thread::Queue.new
        @ending = false
        super(reader: Messages.new, writer: self, stderr: nil, wait_thread: Thread.new { @ended.pop }, name: name, index: index)
        slot = self
        wait_thread.define_singleton_method(:pid) { slot.pid }
        @session = fresh
      end

      def pid
        session.lease.pid
      end

      def write(message)
        @ending = true if message[:method] == "shutdown"
        session.write(message)
      end
      alias << write

      def kill(force: false)
        session.kill(force ? "KILL" : "TERM")
        wait_thread.join unless force
      end

      # A worker more, of the newest generation, that nobody talks to yet.
      def fresh(stamp = nil)
        Session.new(@pool, name, @arguments, stamp).tap do |one|
          one.listen(->(message) { reader.queue << message }, method(:ended))
        end
      end

      # In the thread that writes, between two messages: from here on it is that
      # one, which is told first what it lacks. The former goes when its work is done.
      def replace(one, lacking)
        return one.kill("TERM") if @ending || @over

        one.write(lacking)
        former, @session = @session, one
        former.finish
      end

      private

      def ended(one)
        return unless one.equal?(@session)

        @over = true
        reader.queue.close
        @ended << nil
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
