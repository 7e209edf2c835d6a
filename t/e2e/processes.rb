# What the tests that kill look at and wait for.

def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

# True as soon as the block is, false after so many seconds.
def within(seconds, step = 0.01)
  stop = now + seconds
  until (found = yield)
    return found if now > stop

    sleep step
  end
  found
end

# The processes, as the kernel sees them.
module Processes
  module_function

  # [state, parent], nil when there is none.
  def stat(pid)
    File.read("/proc/#{pid}/stat")[/.*\) (.*)/, 1].split.first(2)
  rescue SystemCallError
    nil
  end

  def alive?(pid) = !["Z", "X", nil].include?(stat(pid)&.first)

  def below(master)
    parents = Dir.children("/proc").grep(/\A\d+\z/).to_h { |pid| [pid.to_i, stat(pid)&.last.to_i] }
    parents.keys.select do |pid|
      up = pid
      up = parents[up] while up && up != 0 && up != master
      pid != master && up == master && alive?(pid)
    end
  end

  # Stops it, and returns when it is; nil when it has gone.
  def stop(pid)
    Process.kill(:STOP, pid)
    within(2, 0.0005) { stat(pid).nil? || stat(pid)[0] =~ /[TZX]/ }
    stat(pid)&.first == "T"
  rescue Errno::ESRCH
    nil
  end

  def kill(signal, pid)
    Process.kill(signal, pid)
  rescue Errno::ESRCH
    nil
  end

  def open?(pid, path)
    Dir.each_child("/proc/#{pid}/fd").any? { |fd| File.readlink("/proc/#{pid}/fd/#{fd}") == path }
  rescue SystemCallError
    false
  end

  # The clients' connections to that socket among its descriptors.
  def held(pid, path)
    # A row may be left out of a reading when another one goes meanwhile.
    rows = Array.new(3) { File.readlines("/proc/net/unix") }.flatten.uniq
    ours = rows.map(&:split).select { |row| row[5] == "03" && row[7] == path }
    ours = ours.to_h { |row| ["socket:[#{row[6]}]", true] }
    Dir.each_child("/proc/#{pid}/fd").count { |fd| ours[File.readlink("/proc/#{pid}/fd/#{fd}")] }
  rescue SystemCallError
    0
  end

  # Readable when it has ended; nil when it has already.
  def pidfd(pid)
    IO.for_fd(syscall(434, pid, 0)) # pidfd_open, everywhere
  rescue Errno::ESRCH
    nil
  end
end
