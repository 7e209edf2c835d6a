#!/bin/sh
# Each option of `listen` by its effect, at boot and at a reload; addresses of
# every kind; a port that is taken, and one that becomes free.
. "$(dirname "$0")/lib.sh"
P1=$(free_port) P2=$(free_port) P3=$(free_port)
# /options: what the kernel says of each listener, asked on the worker's own.
cat >"$DIR/app.rb" <<'END'
require "socket"
OPTIONS = { keepalive: [Socket::SOL_SOCKET, Socket::SO_KEEPALIVE], nodelay: [Socket::IPPROTO_TCP, Socket::TCP_NODELAY],
  cork: [Socket::IPPROTO_TCP, Socket::TCP_CORK], defer: [Socket::IPPROTO_TCP, Socket::TCP_DEFER_ACCEPT],
  reuseport: [Socket::SOL_SOCKET, Socket::SO_REUSEPORT], rcvbuf: [Socket::SOL_SOCKET, Socket::SO_RCVBUF],
  sndbuf: [Socket::SOL_SOCKET, Socket::SO_SNDBUF], v6only: [Socket::IPPROTO_IPV6, Socket::IPV6_V6ONLY] }
def listener(fd)
  socket = Socket.for_fd(fd)
  socket.autoclose = false
  return unless socket.getsockopt(Socket::SOL_SOCKET, Socket::SO_ACCEPTCONN).int == 1

  values = OPTIONS.map do |name, option|
    "#{name}=#{socket.getsockopt(*option).int}"
  rescue SystemCallError
    nil
  end
  values << "backlog=#{socket.getsockopt(Socket::IPPROTO_TCP, Socket::TCP_INFO).data.unpack("C8L6").last}" unless socket.local_address.unix?
  at = socket.local_address
  "#{at.unix? ? at.unix_path : "#{at.ip_port}"} #{values.compact.join(" ")}\n"
rescue SystemCallError
  nil
end
APP = lambda do |env|
  lines = env["PATH_INFO"] == "/options" ? Dir.children("/proc/self/fd").filter_map { |fd| listener(fd.to_i) } : ["ok\n"]
  [200, { "content-type" => "text/plain" }, lines]
end
END
write() {
	{ cat && echo 'canary_time 0.05' && echo 'rack { load "app.rb"; APP }'; } >"$DIR/c.rb"
}
hup() { kill -HUP "$MASTER"; }
options() { # PORT or path: what the worker sees
	get /options | sed -n "s|^$1 ||p"
}
backlog() { # PORT or path; of a UNIX socket only ss says it
	case $1 in
	/*) ss -Hlx src "$1" | awk '{ print $4 }' ;;
	*) options "$1" | sed 's/.*backlog=//' ;;
	esac
}
has_ss() { command -v ss >/dev/null; }
at() { [ "$(curl -sS --max-time 15 "http://$1/")" = ok ]; }
is_backlog() { [ "$(backlog "$1")" = "$2" ]; }
sees() { matches "$(options "$1")" "$2"; }

write <<END
listen '$SOCK' # ENV SOCK
listen 'localhost:$P1', backlog: 7, tcp_nodelay: false, tcp_nopush: true, tcp_defer_accept: 5
listen '127.0.0.1:$P2', reuseport: true, rcvbuf: 20_000, sndbuf: 30_000
listen '[::1]:$P3', ipv6only: true, tcp_defer_accept: false
listen '$DIR/mine.sock', umask: 0o077, backlog: 3
END
start "$DIR/c.rb"
ok 'IPv4 answers' at "127.0.0.1:$P1"
ok 'IPv6 answers' at "[::1]:$P3"
is 'a UNIX socket answers' "$(curl -sS --unix-socket "$DIR/mine.sock" http://h/)" ok
is 'backlog' "$(backlog "$P1")" 7
has_ss && is 'of a UNIX socket' "$(backlog "$DIR/mine.sock")" 3
is 'its default' "$(backlog "$P2")" 1024
is 'umask' "$(stat -c %a "$DIR/mine.sock")" 700
is 'its default' "$(stat -c %a "$SOCK")" 777
ok 'tcp_nodelay false, tcp_nopush' sees "$P1" 'nodelay=0 cork=[1-9]'
ok 'tcp_defer_accept' sees "$P1" 'defer=[1-9]'
ok 'their defaults' sees "$P2" 'keepalive=1 nodelay=[1-9]+ cork=0 defer=1 '
ok 'tcp_defer_accept false' sees "$P3" 'defer=0'
ok 'reuseport' sees "$P2" 'reuseport=1'
ok 'its default' sees "$P1" 'reuseport=0'
ok 'rcvbuf, sndbuf: the kernel doubles them' sees "$P2" 'rcvbuf=40000 sndbuf=60000'
ok 'ipv6only' sees "$P3" 'v6only=1'

# Changed by a reload, on the same sockets
write <<END
listen '$SOCK' # ENV SOCK
listen 'localhost:$P1', backlog: 9, tcp_defer_accept: 0
listen '127.0.0.1:$P2', reuseport: true
listen '[::1]:$P3', ipv6only: true
listen '$DIR/mine.sock', backlog: 5
END
hup
await 'a reload' logged 'reload to gen=1 done'
ok 'changes the backlog' is_backlog "$P1" 9
has_ss && ok 'of a UNIX socket' is_backlog "$DIR/mine.sock" 5
ok 'and options' sees "$P1" 'nodelay=[1-9]+ .*defer=0'

# Two that share a port
MASTER1=$MASTER
echo "listen '127.0.0.1:$P2', reuseport: true; rack { load 'app.rb'; APP }" >"$DIR/second.rb"
: >"$LOG.2"
(LOG=$LOG.2 && background "$REFORKD" -c "$DIR/second.rb" && echo $! >"$DIR/second.pid")
ok 'reuseport shares a port' until_true grep -q 'worker=0 .*ready' "$LOG.2"
kill -TERM "$(cat "$DIR/second.pid")"
ok 'the second one leaves' until_true gone "$(cat "$DIR/second.pid")"
ok 'the first one answers' at "127.0.0.1:$P2"

# A port that is taken, at a reload
hold() { # PORT: until it is killed, in $HOLDER
	rm -f "$DIR/held"
	perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new(Listen => 1, ReuseAddr => 1,
		LocalAddr => "127.0.0.1:$ARGV[0]") or die; open my $f, ">", $ARGV[1]; alarm 60; sleep 60' "$1" "$DIR/held" &
	HOLDER=$!
	until_true [ -e "$DIR/held" ]
}
P4=$(free_port)
hold "$P4"
write <<END
listen '$SOCK' # ENV SOCK
listen '127.0.0.1:$P4', tries: 2, delay: 0.05
END
hup
await 'a reload to a taken port fails' logged 'reload to gen=2 failed'
ok 'after two tries' logged "c.rb:2: adding listener failed addr=127.0.0.1:$P4 .in use."
ok 'with the line, the reason and what to do' logged "error reloading config_file=$DIR/c.rb: .*c.rb:2: listen \"127.0.0.1:$P4\": .*in use .stop what"
ok 'the others serve' at "127.0.0.1:$P1"
sed -i 's/tries: 2/tries: -1/' "$DIR/c.rb"
: >"$LOG"
hup
await 'with tries: -1 it waits' logged 'retrying in 0.1 seconds .infinite tries left' 3
ok 'the others serve meanwhile' at "127.0.0.1:$P1"
kill $HOLDER
await 'until the port is free' logged 'reload to gen=[0-9]+ done'
ok 'and serves it' at "127.0.0.1:$P4"
await 'the dropped ones are closed' logged "closing listener addr=\[::1\]:$P3"
ok 'stops' stop

# The same at boot, and ports that the kernel chooses
P5=$(free_port)
hold "$P5"
: >"$LOG"
write <<END
listen '$SOCK' # ENV SOCK
listen '127.0.0.1:$P5', tries: 1000, delay: 0.05
listen '127.0.0.1:0'
listen '[::1]:0'
END
spawn "$DIR/c.rb"
await 'a boot waits, too' logged 'retrying in 0.1 seconds .99[0-9] tries left'
nok 'nobody serves yet' at "127.0.0.1:$P5"
kill $HOLDER
await 'until the port is free' serving
ok 'and serves it' at "127.0.0.1:$P5"
chosen=$(sed -n 's/.*listening on addr=\(127.0.0.1:[0-9]*\) .*/\1/p' "$LOG" | grep -v ":$P5\$")
unlike 'port 0 is logged as what it became' "$chosen" ':0$'
ok 'where it answers' at "$chosen"
chosen6=$(sed -n 's/.*listening on addr=\(\[::1\]:[0-9]*\) .*/\1/p' "$LOG")
ok 'in IPv6, too' at "$chosen6"
ok 'reforkctl says it' sh -c "'$REFORKCTL' -c '$DIR/c.rb' status --json | grep -qF '$chosen'"
hup
await 'a reload' logged 'reload to gen=1 done'
ok 'keeps it' at "$chosen"
ok 'stops' stop
: >"$LOG"
echo 'rack { load "app.rb"; APP } # ENV SOCK' >"$DIR/c.rb"
PORT=0
export PORT
start "$DIR/c.rb"
like 'PORT=0' "$(sed -n 's/.*listening on addr=\(.*\) fd.*/\1/p' "$LOG")" '^0\.0\.0\.0:[1-9]'
finish
