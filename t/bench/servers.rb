# The servers that are compared: how each is started with one application.

require_relative "lib"

module Bench
  # A server is started, answers, and is stopped; its process group is its own.
  class Server
    attr_reader :name, :gem, :pid, :port, :log

    def initialize(name, gem, &command)
      @name = name
      @gem = gem
      @command = command
    end

    def reforkd? = @gem == "reforkd"

    def version
      return @version if defined?(@version)

      @version = if reforkd?
        binary = "#{BUILD}/reforkd"
        IO.popen([binary, "-v"], err: File::NULL, &:read)[/\d[\w.]*/] || "" if File.executable?(binary)
      else
        ask("puts Gem.loaded_specs.fetch(#{gem.dump}) { Gem::Specification.find_by_name(#{gem.dump}) }.version")
      end
    end

    def installed? = !version.nil?

    def executable(name = gem)
      (@executables ||= {})[name] ||= ask("puts Gem.bin_path(#{gem.dump}, #{name.dump})") or raise "no command #{name}"
    end

    # workers, app, refork_after, env, lines of the file; core = nil leaves it to
    # the kernel.
    def start(app:, workers: 1, core: nil, env: {}, refork_after: nil, config: nil)
      @port = Bench.free_port
      @log = "#{SCRATCH}/#{name.tr(" ", "-")}.#{@port}.log"
      command = @command.call(self, { app: app, workers: workers, port: @port, refork_after: refork_after, config: config })
      command = ["taskset", "-c", core.to_s, *command] if core && Etc.nprocessors > 1
      @pid = spawn(GEMS.merge("RACK_ENV" => "production").merge(env), *command,
                   out: @log, err: %i[child out], in: File::NULL, pgroup: true, chdir: SCRATCH)
      Bench.wait_for(150) { answers? || raise_if_dead } or raise "#{name} does not answer, see below\n#{tail}"
      self
    rescue StandardError
      stop
      raise
    end

    def answers?
      Net::HTTP.start("127.0.0.1", @port, open_timeout: 2, read_timeout: 10) { |http| http.get("/").code == "200" }
    rescue SystemCallError, Net::OpenTimeout, Net::ReadTimeout, EOFError, Net::HTTPBadResponse
      false
    end

    def tail = File.exist?(@log.to_s) ? File.readlines(@log).last(15).join : ""

    # What is left of its group after a polite word is killed.
    def stop
      return unless @pid

      family = Tree.pids(@pid)
      Process.kill(:TERM, @pid)
      status = Bench.wait_for(10) { Process.wait(@pid, Process::WNOHANG) }
      (status ? family - [@pid] : family).each { |pid| kill_own(pid) }
      Process.wait(@pid) unless status
    rescue Errno::ESRCH, Errno::ECHILD
      nil
    ensure
      @pid = nil
    end

    # Generation by the number of each worker, as the titles say it.
    def generations
      Tree.pids(@pid).filter_map do |pid|
        title = Tree.title(pid)
        title[/\Areforkd worker \d+ gen (\d+)/, 1]&.to_i || title[/\(gen:(\d+)\) worker\[\d+\] - (?!init)/, 1]&.to_i
      end
    end

    def all_of_generation?(number, workers)
      found = generations
      found.size == workers && found.all? { |g| g >= number }
    end

    def refork = Process.kill(:USR2, @pid)

    private

    def kill_own(pid)
      Process.kill(:KILL, pid) if Process.getpgid(pid) == @pid
    rescue Errno::ESRCH
      nil
    end

    def raise_if_dead
      return unless Process.wait(@pid, Process::WNOHANG)

      @pid = nil
      raise "#{name} ended at start\n#{tail}"
    end

    def ask(code)
      answer = IO.popen([GEMS, RbConfig.ruby, "-e", code], err: File::NULL, &:read).strip
      answer.empty? ? nil : answer
    end
  end

  RUBY = [RbConfig.ruby].freeze

  def self.config(text)
    path = "#{SCRATCH}/config.#{text.hash.abs.to_s(36)}.rb"
    File.write(path, text)
    path
  end

  def self.list(refork_after) = refork_after && "refork_after #{refork_after.inspect}\n"

  # fd-inheriting servers of the unicorn family read the same file
  def self.unicorn_config(o)
    config("worker_processes #{o[:workers]}\nlisten \"127.0.0.1:#{o[:port]}\"\ntimeout 60\n#{yield}#{o[:config]}" \
           "require \"logger\"\nlogger Logger.new($stderr, level: Logger::WARN)\n")
  end

  ALL = [
    Server.new("reforkd", "reforkd") do |_, o|
      file = config("worker_processes #{o[:workers]}\nlisten \"127.0.0.1:#{o[:port]}\"\n" \
                    "#{list(o[:refork_after])}#{o[:config]}rack #{o[:app].dump}\n")
      ["#{BUILD}/reforkd", "-c", file]
    end,
    Server.new("unicorn", "unicorn") do |s, o|
      [*RUBY, s.executable, "-c", unicorn_config(o) { "preload_app true\n" }, o[:app]]
    end,
    Server.new("pitchfork", "pitchfork") do |s, o|
      [*RUBY, s.executable, "-c", unicorn_config(o) { list(o[:refork_after]) }, o[:app]]
    end,
    Server.new("puma, single", "puma") do |s, o|
      [*RUBY, s.executable, "-q", "-t", "1:1", "-b", "tcp://127.0.0.1:#{o[:port]}", o[:app]]
    end,
    Server.new("puma, cluster", "puma") do |s, o|
      [*RUBY, s.executable, "-q", "-t", "1:1", "-w", o[:workers].to_s, "--preload", "-b", "tcp://127.0.0.1:#{o[:port]}", o[:app]]
    end,
    Server.new("puma, fork_worker", "puma") do |s, o|
      [*RUBY, s.executable, "-q", "-t", "1:1", "-w", o[:workers].to_s, "--fork-worker", "-b", "tcp://127.0.0.1:#{o[:port]}", o[:app]]
    end,
    Server.new("iodine", "iodine") do |s, o|
      [*RUBY, s.executable, "-t", "1", "-w", o[:workers].to_s, "-b", "127.0.0.1", "-p", o[:port].to_s, o[:app]]
    end,
    Server.new("agoo", "agoo") do |_, o|
      [*RUBY, "#{__dir__}/agoo.rb", o[:port].to_s, o[:workers].to_s, o[:app]]
    end,
    Server.new("itsi", "itsi-server") do |s, o|
      [*RUBY, s.executable("itsi"), "-w", o[:workers].to_s, "-t", "1", "-r", o[:app], "-b", "http://127.0.0.1:#{o[:port]}"]
    end
  ].freeze

  # Those that are installed, narrowed to what the command line names.
  def self.servers(names = nil)
    named = names ? ALL.select { |s| names.any? { |n| s.name.start_with?(n) } } : ALL
    named.select(&:installed?).each { |s| say "#{s.name} #{s.version}" }
  end
end
