# frozen_string_literal: true

# Steep's server with leased workers: required into `steep langserver`, `steep
# check` and the others that start workers. See README.md.
require "steep"
require "steep/cli"
require_relative "pool"
require_relative "session"
require_relative "slot"
require_relative "documents"
require_relative "generations"

module Reforkd
  module Steep
    PROMOTE = "$/reforkd/promote"
    DONE = "$/reforkd/done"
    GAIN_MB = 64

    class << self
      attr_reader :pool

      # From here on workers are leased. Without a server Steep starts its own.
      def use(config:, pool: nil)
        @pool = Pool.new(Client.open(config: config), pool)
      rescue SystemCallError => error
        warn "reforkd: no server for #{config} (#{error.message}): Steep starts workers of its own; start it with reforkd -D -c #{config}"
      end

      def gain_kb
        Integer(ENV.fetch("REFORKD_STEEP_GAIN", GAIN_MB)) * 1024
      end
    end

    module Leasing
      def start_worker(type, name:, steepfile:, steep_command:, index: nil, delay_shutdown: false, patterns: [])
        return super unless Steep.pool && !steep_command

        arguments = ["--#{type}", "--name=#{name}", "--log-level=#{%w[debug info warn error fatal unknown][::Steep.logger.level]}"]
        arguments << "--steepfile=#{steepfile}" if steepfile
        arguments << "--log-output=#{::Steep.log_output}" if ::Steep.log_output.is_a?(String)
        arguments << "--max-index=#{index[0]}" << "--index=#{index[1]}" if index
        arguments << "--delay-shutdown" if delay_shutdown
        Slot.new(Steep.pool, name: name, index: index&.last, arguments: arguments + patterns)
      rescue Client::Error, SystemCallError => error
        warn "reforkd: #{name} is not leased, Steep starts it itself: #{error.message}"
        super
      end
    end

    # What the editor says. When it goes without a word, so does the server.
    class Editor
      def initialize(reader)
        @reader = reader
      end

      def read
        @reader.read do |message|
          yield message
          return if message[:method] == "exit"
        end
        yield({ method: "shutdown", id: "reforkd" })
        yield({ method: "exit" })
      end
    end

    module Server
      def initialize(reader:, **rest)
        super(reader: Editor.new(reader), **rest)
        @reforkd = Generations.new(self, Steep.pool, Steep.gain_kb) if each_worker.all?(Slot)
      end

      def start
        @reforkd&.start if typecheck_automatically
        super
      ensure
        @reforkd&.stop
      end

      def broadcast_notification(message)
        @reforkd&.documents&.note(message)
        super
      end

      def process_message_from_client(message)
        return @reforkd&.ask if message[:method] == "$/reforkd/refork"

        super
      end

      def finish_type_check(*)
        super
      ensure
        @reforkd&.checked
      end
    end

    ::Steep::Server::WorkerProcess.singleton_class.prepend(Leasing)
    ::Steep::Server::Master.prepend(Server)
  end
end
