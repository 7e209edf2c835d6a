# frozen_string_literal: true

# Steep's server with leased workers: required into `steep langserver`, `steep
# check` and the others that start workers. See README.md.
require "steep"
require "steep/cli"
require_relative "basis"
require_relative "pool"
require_relative "session"
require_relative "slot"
require_relative "documents"
require_relative "rest"
require_relative "generations"

module Reforkd
  module Steep
    PROMOTE = "$/reforkd/promote"
    DONE = "$/reforkd/done"
    GAIN_MB = 64
    IDLE = 30

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

      # Seconds without work after which a worker is released, 0: never.
      def idle_seconds
        Float(ENV.fetch("REFORKD_STEEP_IDLE", IDLE))
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
        return unless each_worker.all?(Slot)

        Steep.pool.wanted[:basis] = Basis.of(project) # as this session has begun
        @documents = Documents.new(project)
        @rest = Rest.new(self, @documents, Steep.idle_seconds)
        @reforkd = Generations.new(self, Steep.pool, Steep.gain_kb, @documents, @rest)
      end

      def start
        [@reforkd, @rest].compact.each(&:start) if typecheck_automatically
        super
      ensure
        @reforkd&.stop
        @rest&.stop
      end

      def broadcast_notification(message)
        return super unless @rest

        @rest.in_order do
          @documents.note(message)
          super
        end
      end

      def enqueue_write_job(job)
        return super unless @rest && job.dest.is_a?(Slot)

        @rest.in_order do
          @rest.rouse(job.dest, job.message)
          super
        end
      end

      def process_message_from_client(message)
        case message[:method]
        when "$/reforkd/refork" then @reforkd&.ask
        when "$/reforkd/release" then @rest&.in_order { @rest.release_idle(0) }
        else super
        end
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
