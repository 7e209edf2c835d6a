# frozen_string_literal: true

module Reforkd
  module Steep
    # What a worker reads as its stdin: messages that another thread has read, so
    # that the main thread, which alone may fork a mold, can be asked for a favour
    # in between.
    class Inbox
      def initialize(io)
        @io = io
        @queue = Thread::Queue.new
        passing(Thread.new { pump })
      end

      def binmode; end

      # As Transport::Io::Reader calls them: a head, then its body. It does not call
      # after `exit`: the end of the stream, or a signal, is the client's death, of
      # which Steep's threads would not hear.
      def gets(_separator)
        loop do
          head, @body, favour = @queue.pop || Process.exit!(0)
          return head if head

          favour.call
        end
      rescue SignalException => error
        Process.exit!(128 + error.signo)
      end

      def read(_length)
        @body
      end

      # In another thread: what the block returns on the main one.
      def on_main
        passing(Thread.current)
        answer = Thread::Queue.new
        @queue << [nil, nil, -> { answer << yield }]
        answer.pop
      end

      private

      # Nothing of this thread's is missed in a copy of the process.
      def passing(thread)
        thread.thread_variable_set(:fork_safe, true)
      end

      def pump
        while (head = @io.gets("\r\n\r\n"))
          @queue << [head, @io.read(Integer(head[/Content-Length: (\d+)/i, 1]))]
        end
      ensure
        @queue << nil
      end
    end
  end
end
