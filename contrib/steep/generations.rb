# frozen_string_literal: true

require "securerandom"
require "timeout"

module Reforkd
  module Steep
    # When workers have diverged: a copy of the first one becomes the pool's mold,
    # and all of them are replaced by workers of it. One thread for each server.
    #
    # The server's own thread (job_queue) sends all messages, so that what is done
    # there stands between two of them, the same two for every worker.
    class Generations
      SETTLED = 1.0  # seconds without a check
      SHARE = 10     # of the time at most a tenth for replacing,
      PAUSE = 60     # or once a minute, when the machine was slow for a moment
      TIMEOUT = 60   # for a mold to be made, and for a former worker to end
      SPARES = 20    # at most, of the generation before

      def initialize(master, pool, gain_kb, documents, rest)
        @master = master
        @pool = pool
        @gain_kb = gain_kb
        @documents = documents
        @rest = rest
        @events = Thread::Queue.new
        @after_kb = 0
        @not_before = 0
        pool.on_generation = method(:checked)
      end

      def start
        @thread = Thread.new { run }
      end

      def stop
        @events.close
        @thread&.kill
      end

      # A check has ended; or there is a new mold, of another editor's maybe.
      def checked
        @events << true
      rescue ClosedQueueError
        nil
      end

      # The editor asks for it: now, whatever it brings.
      def ask
        @asked = true
        checked
        @thread.wakeup if @thread&.alive?
      end

      private

      def run
        while @events.pop
          settle
          asked, @asked = @asked, false
          newer = told
          replace_by { newer } if newer
          replace_by { promote } if asked || worth_it?
        end
      rescue ClosedQueueError
        nil # the server is ending
      end

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC)
      end

      def settle
        until @asked
          @events.clear
          sleep [SETTLED, @not_before - now].max
          return if @events.empty? && @master.current_type_check_request.nil?
        end
      end

      def slots
        @master.each_worker.reject(&:resting)
      end

      # Kilobytes that the workers have for themselves.
      def private_kb
        slots.sum do |slot|
          File.read("/proc/#{slot.pid}/smaps_rollup").scan(/^Private_\w+:\s+(\d+)/).sum { |kb,| kb.to_i }
        rescue SystemCallError
          0
        end
      end

      def worth_it?
        own_kb = private_kb
        @after_kb = [@after_kb, own_kb].min # some may have been released
        own_kb - @after_kb >= @gain_kb
      end

      # The newest generation that others have made.
      def told
        newest = nil
        newest = @pool.generations.pop until @pool.generations.empty?
        newest if newest && slots.any? { |slot| (one = slot.session) && one.lease.generation < newest }
      end

      def replace_by
        began = now
        before = private_kb
        generation = yield
        replace_all(generation) if generation
        @after_kb = private_kb
        @not_before = now + [(now - began) * SHARE, PAUSE].min
        say(generation: generation, before_kb: before, after_kb: @after_kb, seconds: (now - began).round(3))
      rescue Client::Error, SystemCallError, IOError => error
        ::Steep.logger.error { "reforkd: the workers stay as they are: #{error.message}" }
        @not_before = now + PAUSE
      end

      # Editors pass over what begins with $/; generation is nil when there was none.
      def say(params)
        ::Steep.logger.warn { "reforkd: #{params}" }
        @master.enqueue_write_job(::Steep::Server::Master::SendMessageJob.to_client(message: { method: "$/reforkd/reforked", params: params }))
      end

      # The number of the generation, when the copy has become the mold.
      def promote
        stamp = @pool.wanted[:stamp] = SecureRandom.uuid
        @pool.generations.clear
        answer = Thread::Queue.new
        in_turn do
          @documents.barrier(stamp)
          one = @master.typecheck_workers.find { |slot| !slot.resting } || @master.typecheck_workers[0]
          @master.result_controller << @master.send_request(method: PROMOTE, params: { stamp: stamp }, worker: one) do |handler|
            handler.on_completion { |response| answer << response[:result] }
          end
        end
        answer.pop && Timeout.timeout(TIMEOUT) { @pool.generations.pop }
      rescue Timeout::Error
        nil # the copy was no good: the log of reforkd says why
      end

      def in_turn(&block)
        @master.job_queue << -> { @rest.in_order(&block) }
      end

      # Those that are released at the time will be of it when they are wanted.
      def replace_all(generation)
        formers = slots.filter_map { |slot| replace(slot, generation) }
        formers.each { |former| former.wait(TIMEOUT) }
        GC.start
      end

      # Spare workers of before are leased first, maybe.
      def of_generation(slot, generation)
        SPARES.times do
          one = slot.fresh
          return one if one.lease.generation >= generation

          one.kill("TERM")
        end
        raise Client::Error.new("busy", "no worker of generation #{generation}")
      end

      # The worker that was there before.
      def replace(slot, generation)
        one = of_generation(slot, generation)
        told = one.open(@master.initialize_params) or return
        done = Thread::Queue.new
        in_turn do
          if slot.resting # since a moment
            one.kill("TERM")
            next done << nil
          end

          lacking = @documents.since(told[:stamp])
          turn = Turn.new { done << slot.replace(one, lacking) }
          @master.enqueue_write_job(::Steep::Server::Master::SendMessageJob.to_worker(turn, message: {}))
        end
        done.pop
      end
    end
  end
end
