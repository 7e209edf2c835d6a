# frozen_string_literal: true

require "io/wait"
require_relative "../ruby/reforkd/client"

module Reforkd
  module Steep
    # The lease pool, for all threads of Steep's server.
    class Pool
      attr_reader :generations # a queue: the numbers that GEN tells
      attr_reader :wanted      # what a worker's state should come from: stamp, basis
      attr_accessor :on_generation

      def initialize(client, name)
        @client = client
        @name = name
        @wanted = {}
        @mutex = Mutex.new
        @generations = Thread::Queue.new
        client.on_event = ->(verb, fields) { told(Integer(fields["gen"])) if verb == "GEN" }
        Thread.new { watch }
      end

      def lease(tag, arguments)
        @mutex.synchronize do
          @client.lease(pool: @name, stderr: $stderr, arguments: arguments, tag: tag, root: Dir.pwd, steep: ::Steep::VERSION, **wanted)
        end
      end

      def release(lease, signal)
        @mutex.synchronize { lease.release(signal: signal) }
      rescue Client::Error, SystemCallError
        nil # it has ended, or the server has
      end

      private

      def told(generation)
        @generations << generation
        on_generation&.call
      end

      # Ends with the connection: the workers end then, and Steep says so.
      def watch
        loop do
          @client.to_io.wait_readable
          @mutex.synchronize { @client.poll }
        rescue Client::Error => error
          break if error.code == "gone"
        end
      rescue SystemCallError, IOError
        nil
      end
    end
  end
end
