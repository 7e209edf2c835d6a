# Whatever ends a bench ends what it has started: its end, an exception, or TERM,
# INT or HUP. Required before anything is started.

module Bench
  # The processes below this one, and those that were when they were started: they
  # have a mark in their environment. A process is [number, time of birth], so that
  # a number which is given away again is not taken for it.
  module Children
    OWNER = Process.pid
    PATIENCE_S = 10
    MARK = "RFK_BENCH_OWNER".freeze
    SIGNALS = %w[TERM INT HUP].freeze

    module_function

    # What /proc/PID/stat says behind the name: state, parent ... the 20th is the birth.
    def stat(pid)
      File.read("/proc/#{pid}/stat").rpartition(")").last.split
    rescue SystemCallError
      nil
    end

    # Process => its parent's number; who has ended is none.
    def all
      known = Dir.children("/proc").grep(/\A\d+\z/).to_h { |pid| [pid.to_i, stat(pid)] }
      known.select! { |_, fields| fields && fields[0] != "Z" }
      ours = known.keys.select { |pid| pid != OWNER && (below?(known, pid) || marked?(pid)) }
      ours.to_h { |pid| [[pid, known[pid][19]], known[pid][1].to_i] }
    end

    def below?(known, pid)
      pid = known[pid][1].to_i while pid != OWNER && known[pid]
      pid == OWNER
    end

    def marked?(pid)
      File.binread("/proc/#{pid}/environ").split("\0").include?("#{MARK}=#{ENV.fetch(MARK)}")
    rescue SystemCallError
      false
    end

    def signal(name, process)
      Process.kill(name, process[0]) if stat(process[0])&.at(19) == process[1]
    rescue Errno::ESRCH
      nil
    end

    # One's own children are asked, and end theirs.
    def ask = all.each { |process, parent| signal(:TERM, process) if parent == OWNER }

    # All at the same time. Once none of one's own is there, or after some seconds,
    # who is left is killed.
    def end_all
      ask
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + PATIENCE_S
      sleep(0.02) while all.value?(OWNER) && Process.clock_gettime(Process::CLOCK_MONOTONIC) < deadline
      all.each_key { |process| signal(:KILL, process) }
    end

    # timeout(1) and terminals send a signal twice, and the second one must not stop
    # the tidying up. Asked at once, nothing makes an `ensure` wait for its own end.
    def end_on_signals
      SIGNALS.each do |name|
        trap(name) do
          SIGNALS.each { |other| trap(other, "IGNORE") }
          ask
          raise SignalException, name
        end
      end
    end
  end

  ENV[Children::MARK] = "#{Process.pid}.#{Children.stat(Process.pid)[19]}"
  Children.end_on_signals
  at_exit do
    next unless Process.pid == Children::OWNER

    (Thread.list - [Thread.current]).each(&:kill).each { |thread| thread.join(Children::PATIENCE_S) }
    Children.end_all
  end
end
