# frozen_string_literal: true

require "resque"
require_relative "greeting"

Resque.redis = Redis.new(url: ENV.fetch("REDIS_URL", "redis://127.0.0.1:6379"))

# Resque's worker in a process of reforkd's. Resque forks for each job, so that
# each has memory of its own; here the worker does them itself, gets warm, and
# is forked again between two.
module Jobs
  class Worker < Resque::Worker
    def fork_per_job? = false

    # The title is reforkd's.
    def procline(_text) = nil

    # Resque looks for its own titles; here whoever lives is alive.
    def worker_pids = Dir.children("/proc").grep(/\A\d+\z/)
  end

  module_function

  # What a crash of the whole machine has left behind.
  def boot
    resque.prune_dead_workers
  ensure
    disconnect
  end

  def work(worker)
    @resque = resque
    @resque.heartbeat!
    @resque.register_worker
    while worker.running? # here it may be forked
      @resque.work_one_job ? worker.done : worker.wait(0.1)
    end
    @resque.unregister_worker
  end

  def resque = Worker.new(*ENV.fetch("QUEUE", "default").split(","))

  def heartbeat
    @resque&.heartbeat!
  end

  def disconnect
    Resque.redis.disconnect!
  end

  # Its job goes to Resque's failures, as a DirtyExit, and to its own on_failure.
  def bury(pid)
    Resque::Worker.all.each do |dead|
      host, its_pid, = dead.to_s.split(":")
      next unless host == Socket.gethostname && its_pid.to_i == pid

      dead.unregister_worker(Resque::DirtyExit.new("the worker ended in the midst of it"))
    end
  ensure
    disconnect
  end
end
