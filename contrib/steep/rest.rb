# frozen_string_literal: true

require "monitor"

module Reforkd
  module Steep
    # Workers that have nothing to do are released, and leased again when there is
    # something. One for each server.
    #
    # Whatever is queued for workers is queued in here, so that the texts that a
    # worker is told when it is leased again are those of that place in the queue.
    class Rest
      METHODS = ::Steep::Server::CustomMethods
      TEXTS = [METHODS::FileLoad::METHOD, METHODS::FileReset::METHOD, "textDocument/didChange"].freeze
      LAST = %w[shutdown exit].freeze
      ASSIGNED = %i[library_uris signature_uris code_uris inline_uris].freeze
      TRIES = 5 # seconds apart, when no worker is to be had

      def initialize(master, documents, seconds)
        @master = master
        @documents = documents
        @seconds = seconds
        @monitor = Monitor.new
      end

      def start
        @thread = Thread.new { run } if @seconds.positive?
      end

      def stop
        @thread&.kill
      end

      # What the block queues for workers stands together.
      def in_order(&block)
        @monitor.synchronize(&block)
      end

      # Before that message is queued for it.
      def rouse(slot, message)
        return unless work?(message)

        slot.touch
        wake(slot) if slot.resting
      end

      # In the server's own thread. A check has files for some of them, and says
      # when it ends only.
      def release_idle(seconds)
        return if @master.initialize_params.nil? || @master.current_type_check_request

        @master.each_worker do |slot|
          next if slot.resting || slot.idle_for < seconds

          slot.resting = true
          turn { slot.release }
        end
      end

      private

      def run
        loop do
          sleep @seconds / 4.0
          @master.job_queue << -> { in_order { release_idle(@seconds) } }
        end
      rescue ClosedQueueError
        nil # the server is ending
      end

      # Texts are told to a worker that is leased; a check without files for this
      # one is a text, too.
      def work?(message)
        method = message[:method]
        return false if TEXTS.include?(method) || LAST.include?(method)

        method != METHODS::TypeCheck__Start::METHOD || message[:params].values_at(*ASSIGNED).any? { |uris| uris && !uris.empty? }
      end

      def turn(&block)
        @master.write_queue.push(::Steep::Server::Master::SendMessageJob.to_worker(Turn.new(&block), message: {}))
      end

      # Several are made ready at once, while messages before this one are written.
      def wake(slot)
        slot.resting = false
        texts = @documents.dup
        ready = Thread.new { opened(slot) }
        ready.report_on_exception = false
        turn { resume(slot, ready, texts) }
      end

      def opened(slot, tries = TRIES)
        one = slot.fresh
        told = one.open(@master.initialize_params) or raise IOError, "the worker has died"
        [one, told[:stamp]]
      rescue Client::Error, SystemCallError, IOError
        raise if (tries -= 1).zero?

        sleep 1
        retry
      end

      # In the thread that writes.
      def resume(slot, ready, texts)
        one, stamp = ready.value
        slot.replace(one, texts.since(stamp))
      rescue StandardError => error
        ::Steep.logger.error { "reforkd: #{slot.name} cannot be leased again: #{error.message}" }
        slot.give_up
      end
    end
  end
end
