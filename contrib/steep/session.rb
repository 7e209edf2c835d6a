# frozen_string_literal: true

module Reforkd
  module Steep
    # One leased worker: messages to it, and a thread that reads what it says.
    class Session
      LSP = LanguageServer::Protocol::Transport::Io
      OWN = "reforkd:" # what our own requests' ids begin with

      attr_reader :lease

      def initialize(pool, tag, arguments)
        @pool = pool
        @lease = pool.lease(tag, arguments)
        @writer = LSP::Writer.new(@lease.stdin)
        @answers = Thread::Queue.new
      end

      # heard is called with every message that is not an answer to us; ended
      # when the process has.
      def listen(heard, ended)
        @thread = Thread.new do
          LSP::Reader.new(@lease.stdout).read do |message|
            ours?(message) ? @answers << message[:result] : heard.call(message)
          end
        rescue SystemCallError, IOError, JSON::ParserError, NoMethodError
          nil # torn in the middle of a message
        ensure
          @lease.pidfd.wait_readable
          @answers.close
          @lease.close
          ended.call(self)
        end
      end

      def write(message)
        @writer.write(message)
      end

      # What `initialize` answers: whose copy it is; nil when it has died.
      def open(params)
        ask("initialize", params)
        @answers.pop
      end

      # When everything that it was sent before is done, it ends. Nobody may write
      # to it from here on.
      def finish
        ask(DONE)
        Thread.new do
          @answers.pop
          ask("shutdown")
          write(method: "exit")
        rescue SystemCallError, IOError
          nil # it has ended before
        end
      rescue SystemCallError, IOError
        nil # the same
      end

      def kill(signal)
        @pool.release(@lease, signal)
      end

      def wait(seconds = nil)
        @thread.join(seconds)
      end

      def over?
        @answers.closed?
      end

      private

      def ask(method, params = nil)
        write({ id: "#{OWN}#{method}", method: method, params: params })
      end

      def ours?(message)
        message[:id].is_a?(String) && message[:id].start_with?(OWN)
      end
    end
  end
end
