# frozen_string_literal: true

# A client of reforkd's lease socket: takes a warm worker and hands it its
# standard streams. Ruby 3.1 and later, nothing but its standard library. The
# protocol is docs/leases.md.
#
#   client = Reforkd::Client.open(config: "reforkd.conf.rb")
#   lease = client.lease(pool: "lsp", stdin: $stdin, stdout: $stdout, stderr: $stderr)
#   exit lease.wait.to_i
#
# Without streams reforkd makes pipes: lease.stdin is to be written,
# lease.stdout to be read. One client may hold many leases; when it is closed,
# or its process ends, they all end. It belongs to one thread.
require "pathname"
require "socket"
require "tempfile"

module Reforkd
  class Client
    # The server said ERR, or nothing that could be understood.
    class Error < StandardError
      attr_reader :code

      def initialize(code, text)
        @code = code
        super(text.to_s.empty? ? code : "#{text} (#{code})")
      end
    end

    # How a worker ended: one of status and signal is nil, or both are.
    Exit = Struct.new(:status, :signal) do
      # As a shell says it.
      def to_i
        status || (signal ? 128 + (Signal.list[signal] || signal.to_i) : 255)
      end

      def success?
        status == 0
      end
    end

    # One worker, leased.
    class Lease
      attr_reader :id, :pid, :generation, :pidfd, :stdin, :stdout, :took_ms

      def initialize(client, fields, files)
        @client = client
        @id = Integer(fields.fetch("id"))
        @pid = Integer(fields.fetch("pid"))
        @generation = Integer(fields.fetch("gen"))
        @took_ms = Integer(fields.fetch("ms"))
        @pidfd, @stdin, @stdout = files
        @stdin&.sync = true
      end

      # Exit, or nil when `timeout` seconds have passed.
      def wait(timeout = nil)
        @client.wait(self, timeout)
      end

      def signal(name)
        @client.tell("SIGNAL", id: id, signal: name)
      end

      # TERM, or `signal`; KILL after `within` seconds.
      def release(signal: nil, within: nil)
        @client.tell("RELEASE", id: id, signal: signal, within: within)
      end

      def close
        [pidfd, stdin, stdout].compact.each { |io| io.close unless io.closed? }
      end
    end

    MESSAGE_MAX = 4095
    STREAMS = %i[stdin stdout stderr].freeze

    # By the path of the lease socket, or of the master's configuration or pid file.
    def self.open(path = nil, config: nil, pid_file: nil)
      client = new(path || socket_of(config: config, pid_file: pid_file))
      return client unless block_given?

      begin
        yield client
      ensure
        client.close
      end
    end

    # Where it lies unless the file sets lease_socket or control.
    def self.socket_of(config: nil, pid_file: nil)
      return "#{pid_file}.lease" if pid_file

      File.join(socket_directory, format("%016x.lease", fnv1a(File.realpath(config || Dir.pwd))))
    end

    def self.socket_directory
      runtime = ENV["XDG_RUNTIME_DIR"].to_s
      return File.join(runtime, "reforkd") unless runtime.empty?

      user = "/run/user/#{Process.euid}"
      File.directory?(user) ? File.join(user, "reforkd") : "/tmp/reforkd-#{Process.euid}"
    end

    # Which project a directory is of: the nearest directory upwards that has a
    # Gemfile.lock, and what changes when that does (FNV-1a of its bytes).
    def self.project(cwd = Dir.pwd, root: nil)
      here = File.realpath(cwd)
      root ||= Pathname(here).ascend.find { |directory| File.file?(directory / "Gemfile.lock") }&.to_s || here
      { root: root, lock: format("%016x", fnv1a(File.binread(File.join(root, "Gemfile.lock")))) }
    rescue SystemCallError
      { root: root || cwd, lock: "none" }
    end

    def self.fnv1a(bytes)
      bytes.each_byte.inject(0xcbf29ce484222325) { |hash, byte| ((hash ^ byte) * 0x100000001b3) & (2**64 - 1) }
    end

    # A field's value as it is sent.
    def self.escape(value)
      value.to_s.b.gsub(/[^!-$&-~]/n) { |byte| format("%%%02X", byte.ord) }
    end

    def self.unescape(value)
      value.gsub(/%(\h\h)/) { $1.hex.chr }.force_encoding(Encoding.default_external)
    end

    # Called with ("GEN" or "DRAIN", {field => value}) when one comes.
    attr_accessor :on_event

    def initialize(path)
      @socket = Socket.new(:UNIX, :SEQPACKET, 0)
      @socket.connect(Socket.sockaddr_un(path))
      @exits = {}
    end

    # streams: stdin and stdout (both or none), stderr; other keywords are
    # fields of the lease, which the worker sees as lease[:name]. root and lock
    # are those of cwd, unless given.
    def lease(pool: nil, stdin: nil, stdout: nil, stderr: nil, cwd: Dir.pwd, arguments: [], environment: ENV.to_h,
      umask: File.umask, **fields)
      given = { stdin: stdin, stdout: stdout, stderr: stderr }.compact
      directory = File.open(cwd)
      words = words_file(arguments, environment)
      files = given.merge(cwd: directory, args: words)
      fields = Client.project(cwd, root: fields[:root]).merge(fields)
      tell("LEASE", pool: pool, fds: files.keys.join(","), umask: umask.to_s(8), **fields, files: files.values)
      fields, received = answer("LEASED")
      Lease.new(self, fields, received)
    ensure
      directory&.close
      words&.close
    end

    # {"ready" => "2", ...}
    def stat(pool = nil)
      tell("STAT", pool: pool)
      answer("STAT").first
    end

    def wait(lease, timeout = nil)
      deadline = timeout && now + timeout
      until @exits.key?(lease.id)
        return nil if deadline && !@socket.wait_readable([deadline - now, 0].max)

        take(*receive)
      end
      @exits[lease.id]
    end

    # Sends one message: fields that are nil are left out.
    def tell(verb, files: [], **fields)
      line = fields.compact.inject(+verb) { |text, (name, value)| text << " #{name}=#{Client.escape(value)}" }
      raise Error.new("protocol", "the message is too long (#{line.bytesize} bytes)") if line.bytesize > MESSAGE_MAX

      rights = files.empty? ? [] : [Socket::AncillaryData.unix_rights(*files)]
      @socket.sendmsg(line, 0, nil, *rights)
    end

    # What has come without being asked for: GEN, DRAIN, EXITED.
    def poll(timeout = 0)
      take(*receive) while @socket.wait_readable(timeout)
    end

    def to_io
      @socket
    end

    def close
      @socket.close
    end

    private

    def now
      Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    def receive
      text, _, _, *controls = @socket.recvmsg(MESSAGE_MAX + 1, 0, 1024, scm_rights: true)
      raise Error.new("gone", "the server has closed the connection") if text.nil? || text.empty?

      verb, *words = text.split(" ")
      fields = words.to_h { |word| word.split("=", 2) }.transform_values { |value| Client.unescape(value) }
      [verb, fields, controls.flat_map { |control| control.unix_rights || [] }]
    end

    def take(verb, fields, files)
      files.each(&:close)
      case verb
      when "EXITED" then @exits[Integer(fields.fetch("id"))] = Exit.new(fields["status"]&.to_i, fields["signal"])
      when "ERR" then raise Error.new(fields["code"], fields["text"])
      else on_event&.call(verb, fields)
      end
    end

    def answer(wanted)
      loop do
        verb, fields, files = receive
        return [fields, files] if verb == wanted

        take(verb, fields, files)
      end
    end

    # A file that has no name any more.
    def words_file(arguments, environment)
      Tempfile.create("reforkd") do |file|
        File.unlink(file.path)
        file.binmode
        arguments.each { |argument| file.write("arg=#{argument}\0") }
        environment.each { |name, value| file.write("env=#{name}=#{value}\0") }
        file.flush
        return file.dup
      end
    end
  end
end
