# What the benches share: processes, load, tables and the machine's facts.

require "etc"
require "fileutils"
require "net/http"
require "optparse"
require "socket"
require "tmpdir"

module Bench
  ROOT = File.expand_path("../..", __dir__)
  BUILD = File.expand_path(ENV.fetch("B", "build"), ROOT)
  SCRATCH = Dir.mktmpdir("rfk-bench.")
  at_exit { FileUtils.rm_rf(SCRATCH) } # last of all, when nobody writes there any more
  require_relative "children"

  # The gems of t/bench/Gemfile, in vendor/; what is there already wins.
  GEMS = if ENV["GEM_HOME"]
    {}
  else
    {
      "BUNDLE_GEMFILE" => "#{ROOT}/t/bench/Gemfile", "BUNDLE_PATH" => "#{ROOT}/vendor/bundle",
      "BUNDLE_APP_CONFIG" => "#{ROOT}/vendor/bundler", "BUNDLE_USER_HOME" => "#{ROOT}/vendor/bundler",
      "BUNDLE_FROZEN" => "true", "BUNDLE_SILENCE_ROOT_WARNING" => "true", "RUBYOPT" => "-rbundler/setup"
    }
  end

  module_function

  def say(text) = warn("#{Time.now.strftime("%H:%M:%S")} #{text}")

  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def median(list)
    sorted = list.compact.sort
    return if sorted.empty?

    middle = sorted.size / 2
    sorted.size.odd? ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0
  end

  # Polls for a fact; the answer, or nil after the deadline.
  def wait_for(seconds, every: 0.02)
    deadline = now + seconds
    loop do
      answer = yield
      return answer if answer
      return if now > deadline

      sleep(every)
    end
  end

  def free_port
    server = TCPServer.new("127.0.0.1", 0)
    server.addr[1]
  ensure
    server&.close
  end

  def table(head, rows)
    lines = [head, head.each_index.map { |i| i.zero? ? "---" : "--:" }, *rows]
    puts(lines.map { |cells| "| #{cells.map { |c| c.nil? ? "–" : c }.join(" | ")} |" }, "")
  end

  def thousands(number) = number&.round&.to_s&.gsub(/(?<=\d)(?=(\d{3})+$)/, ",")

  def machine(servers)
    cpu = File.foreach("/proc/cpuinfo").grep(/model name/).first.to_s.split(":", 2).last.to_s.strip
    versions = servers.map { |s| "#{s.gem} #{s.version}" }.uniq.join(", ")
    programs = servers.empty? ? "" : " #{versions}. #{`wrk -v 2>&1`[/wrk \S+/]}."
    [
      "#{Time.now.utc.strftime("%Y-%m-%d %H:%M UTC")}: Linux #{Etc.uname[:release]} #{Etc.uname[:machine]}, #{cpu}, " \
      "#{Etc.nprocessors} processors, load #{File.read("/proc/loadavg").split.first}.",
      "#{RUBY_DESCRIPTION}.#{programs}", ""
    ]
  end

  # One run of wrk on its own core.
  class Wrk
    attr_reader :rps, :p50, :p99, :requests, :errors, :busy

    def initialize(port, connections:, seconds:, close: false, path: "/", core: 1)
      before = Process.times
      pin = Etc.nprocessors > 1 ? ["taskset", "-c", core.to_s] : []
      pin = [] if core.nil?
      header = close ? ["-H", "Connection: close"] : []
      @text = IO.popen([*pin, "wrk", "-t1", "-c#{connections}", "-d#{seconds}s", "--latency", *header,
                        "http://127.0.0.1:#{port}#{path}"], err: %i[child out], &:read)
      after = Process.times
      @busy = (after.cutime + after.cstime - before.cutime - before.cstime) / seconds # of its core
      @rps = @text[%r{Requests/sec:\s+([\d.]+)}, 1].to_f
      @requests = @text[/(\d+) requests in/, 1].to_i
      @p50 = milliseconds("50%")
      @p99 = milliseconds("99%")
      @errors = @text[/Non-2xx.*?(\d+)/, 1].to_i + @text[/Socket errors:.*/].to_s.scan(/\d+/).sum(&:to_i)
    end

    def milliseconds(share)
      number, unit = @text.match(/^\s+#{share}\s+([\d.]+)(us|ms|s|m)$/)&.captures
      number.to_f * { "us" => 0.001, "ms" => 1, "s" => 1000, "m" => 60_000 }.fetch(unit, 0)
    end
  end

  # What /proc says about a process and its descendants.
  module Tree
    module_function

    def parents
      Dir.children("/proc").grep(/\A\d+\z/).to_h do |pid|
        fields = File.read("/proc/#{pid}/stat").rpartition(")").last.split
        [pid.to_i, fields[0] == "Z" ? nil : fields[1].to_i]
      rescue SystemCallError
        [pid.to_i, nil]
      end
    end

    def pids(root)
      known = parents
      known.keys.select do |pid|
        next false unless known[pid]

        up = pid
        up = known[up] while up && up != root && up > 1
        up == root
      end
    end

    def title(pid)
      File.read("/proc/#{pid}/cmdline").tr("\0", " ").strip
    rescue SystemCallError
      ""
    end

    # Kilobytes; USS is what only this process has.
    def memory(pid)
      sums = Hash.new(0)
      File.foreach("/proc/#{pid}/smaps_rollup") do |line|
        name, kb = line.match(/\A(\w+):\s+(\d+) kB/)&.captures
        sums[name] += kb.to_i if name
      end
      { rss: sums["Rss"], pss: sums["Pss"], uss: sums["Private_Clean"] + sums["Private_Dirty"] }
    rescue SystemCallError
      { rss: 0, pss: 0, uss: 0 }
    end

    # Seconds of CPU that the process and its living descendants have used.
    def cpu(root)
      ticks = Etc.sysconf(Etc::SC_CLK_TCK)
      [root, *(pids(root) - [root])].sum do |pid|
        File.read("/proc/#{pid}/stat").rpartition(")").last.split[11, 2].sum(&:to_i)
      rescue SystemCallError
        0
      end / ticks.to_f
    end

    def pss_mb(root) = pids(root).sum { |pid| memory(pid)[:pss] } / 1024.0
  end
end
