# frozen_string_literal: true

# What clients of the lease socket do, good and hostile: lease_client.rb SOCKET
# CASE. Ends with 0 when it is as docs/leases.md says.
require_relative "../../contrib/ruby/reforkd/client"

SOCKET, CASE, *WORDS = ARGV

def check(claim, what)
  return if claim

  warn what
  exit 1
end

def client
  Reforkd::Client.new(SOCKET)
end

# A connection that sends what it likes.
class Raw
  def initialize
    @socket = Socket.new(:UNIX, :SEQPACKET, 0)
    @socket.connect(Socket.sockaddr_un(SOCKET))
  end

  attr_reader :socket

  def say(text, *ios)
    rights = ios.empty? ? [] : [Socket::AncillaryData.unix_rights(*ios)]
    @socket.sendmsg(text, 0, nil, *rights)
  end

  # The next message, "" at the end.
  def hear(seconds = 40)
    return "nothing" unless @socket.wait_readable(seconds)

    text, _, _, *controls = @socket.recvmsg(4096, 0, 1024, scm_rights: true)
    controls.each { |control| control.unix_rights&.each(&:close) }
    text.to_s
  rescue Errno::ECONNRESET
    ""
  end

  def ask(text, *ios)
    say(text, *ios)
    hear
  end
end

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC)
end

def median(times)
  times.sort[times.size / 2]
end

def eventually(seconds = 40)
  deadline = now + seconds
  sleep 0.01 until yield || now > deadline
end

def ready(client, count)
  deadline = now + 40
  until client.stat["ready"].to_i >= count
    check(now < deadline, "no #{count} spare workers in 40 s: #{client.stat}")
    sleep 0.001
  end
end

case CASE
when "wrong"
  null = File.open("/dev/null")
  raw = Raw.new
  ["FROB", "lease", "LEASE pool", "LEASE =1", "LEASE pool=%", "LEASE pool=%00", "LEASE a=1 a=2", "LEASE Pool=x", "LEASE\0pool=x",
    "LEASED id=1 pid=1 gen=1 mold=1 ms=1", "RELEASE", "RELEASE id=1 frob=2", "SIGNAL id=1", "\n", " ", "\xff\xfe",
    "LEASE umask=9", "LEASE umask=1777", "LEASE fds=stdin", "LEASE fds=cwd,cwd", "LEASE #{"x=1 " * 500}", "LEASE x=#{"y" * 4090}", "x" * 60_000].each do |text|
    said = raw.ask(text)
    check(said.start_with?("ERR code=protocol text="), "#{text[0, 40].inspect}: #{said}")
  end
  [["LEASE", [null]], ["LEASE fds=stdin,stdout", [null]], ["LEASE fds=stdin,stdout", [null] * 3], ["LEASE fds=stdin", [null]],
    ["LEASE", [null] * 6], ["LEASE", [null] * 200], ["STAT", [null]]].each do |text, ios|
    said = raw.ask(text, *ios)
    check(said.start_with?("ERR code=protocol text="), "#{text} with #{ios.size}: #{said}")
  end
  [["LEASE pool=nobody", "no_pool"], ["RELEASE id=1", "no_lease"], ["SIGNAL id=18446744073709551615 signal=TERM", "no_lease"]].each do |text, code|
    said = raw.ask(text)
    check(said.start_with?("ERR code=#{code} "), "#{text}: #{said}")
  end
  check(raw.ask("STAT").start_with?("STAT pool="), "it is not heard any more")
when "strangers"
  # What one client holds another cannot name.
  lease = client.lease(arguments: %w[wait])
  check(Raw.new.ask("RELEASE id=#{lease.id}").start_with?("ERR code=no_lease"), "another's lease was released")
  check(lease.wait(0.1).nil?, "it has ended")
  lease.signal("FROB") && check(lease.wait(5).nil?, "?") rescue check($!.is_a?(Reforkd::Client::Error) && $!.code == "protocol", $!.inspect)
  lease.release
  check(lease.wait(40)&.signal == "TERM", "it does not end")
when "odd descriptors"
  reading, writing = IO.pipe
  { { "args" => reading } => 126, { "cwd" => File.open("/dev/null") } => 126 }.each do |files, status|
    raw = Raw.new
    raw.say("LEASE fds=#{files.keys.join(",")}", *files.values)
    check(raw.hear.start_with?("LEASED "), "#{files.keys} was not leased")
    said = raw.hear
    check(said.match?(/\AEXITED id=\d+ status=#{status}\z/), "#{files.keys}: #{said}")
  end
  writing.close
when "deaf"
  raw = Raw.new
  begin
    raw.socket.setsockopt(:SOCKET, :RCVBUF, 2048)
    100_000.times { raw.socket.sendmsg("STAT") }
    check(false, "it was never dropped")
  rescue Errno::EPIPE, Errno::ECONNRESET
    nil
  end
  check(client.stat["pool"], "the master is gone")
when "crowd"
  # A thousand at once: each gets a worker or a word.
  raws = Array.new(100) { Raw.new }
  raws.each { |raw| 10.times { raw.say("LEASE") } }
  said = raws.flat_map { |raw| Array.new(10) { raw.hear } }
  known = said.map { |text| text[/\A(LEASED|EXITED|ERR code=(limit|busy)) /, 1] }
  check(known.none?(&:nil?), "among the answers: #{said.find { |text| !text.match?(/\A(LEASED|EXITED|ERR code=(limit|busy)) /) }.inspect}")
  check(known.count("LEASED").positive? && known.count("ERR code=limit").positive?, known.tally.inspect)
  puts known.tally.inspect
when "hurry"
  # Gone before, while and after they get a worker.
  60.times do |i|
    raw = Raw.new
    raw.say("LEASE")
    raw.hear if i % 3 == 0
    raw.say("RELEASE id=1") if i % 3 == 1
    raw.socket.close
  end
when "keys"
  # A thousand keys: while two have sessions, and by those who go at once.
  one = client
  2.times { |i| one.lease(pool: "lsp", root: WORDS[0], lock: i, arguments: %w[wait]) }
  raw = Raw.new
  500.times do |i|
    said = raw.ask("LEASE pool=lsp root=#{WORDS[0]} lock=many#{i}")
    check(said.start_with?("ERR code=limit text="), said)
  end
  one.close
  500.times do |i|
    raw = Raw.new
    raw.say("LEASE pool=lsp root=#{WORDS[0]} lock=%FF%01#{i}")
    raw.socket.close
  end
  ["LEASE pool=lsp", "LEASE pool=lsp root=/", "LEASE pool=lsp root=/ lock=#{"x" * 2000}", "LEASE pool=lsp lock=/"].each do |text|
    said = Raw.new.ask(text)
    check(said.start_with?("ERR code=protocol text="), "#{text[0, 40]}: #{said}")
  end
  # Until the master has seen them all go their keys are in use.
  said = ""
  eventually { !(said = Raw.new.ask("LEASE pool=lsp root=x lock=1")).start_with?("ERR code=limit ") }
  check(said.start_with?("ERR code=boot_failed ") && said.include?("no%20absolute%20path"), said)
when "speed"
  one = client
  times = Array.new(Integer(WORDS[0] || 200)) do
    ready(one, 1)
    began = now
    lease = one.lease(arguments: %w[exit 0], stdin: File.open("/dev/null"), stdout: $stderr)
    took = now - began
    check(lease.wait(40)&.success?, "a lease did not end well")
    lease.close
    took
  end
  puts format("lease to LEASED: median %.2f ms, 99 %% %.2f ms of %d", median(times) * 1e3, times.sort[times.size * 99 / 100] * 1e3, times.size)
  check(median(times) < 0.2, "slow")
when "death"
  one = client
  times = Array.new(Integer(WORDS[0] || 20)) do
    lease = one.lease(arguments: %w[wait])
    lease.stdout.gets
    began = now
    Process.kill(:KILL, lease.pid)
    check(lease.wait(40)&.signal == "KILL", "not EXITED")
    took = now - began
    lease.close
    took
  end
  puts format("kill -9 to EXITED: median %.2f ms, most %.2f ms of %d", median(times) * 1e3, times.max * 1e3, times.size)
  check(median(times) < 0.5, "slow")
when "ready"
  check(client.stat["ready"].to_i >= Integer(WORDS[0]), "not yet")
when "pidfd"
  lease = client.lease(arguments: %w[exit 0])
  check(lease.pidfd.wait_readable(40), "the pidfd does not tell")
when "many"
  one = client
  leases = Array.new(Integer(WORDS[0])) { one.lease(arguments: %w[echo]) }
  leases.each_with_index { |lease, i| lease.stdin.puts(i) }
  said = leases.map { |lease| lease.stdout.gets.split }
  check(said.map(&:last) == leases.each_index.map(&:to_s), said.inspect)
  check(said.map(&:first).uniq.size == leases.size, "two have one worker")
  begin
    one.lease
    check(false, "more than max")
  rescue Reforkd::Client::Error => error
    check(error.code == "limit", error.inspect)
  end
  leases.each { |lease| lease.stdin.close }
  check(leases.all? { |lease| lease.wait(40)&.success? }, "they do not end")
else abort "no case #{CASE}"
end
