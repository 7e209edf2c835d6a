#!/bin/sh
# A20. LISTEN_FDS/LISTEN_PID and UNICORN_FD inheritance, log `inherited addr=`;
# inherited sockets survive HUP.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
echo 'run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }' >"$DIR/config.ru"
# The holder opens the sockets, as systemd does, starts the server and keeps
# them; on USR1 it accepts once itself and answers.
cat >"$DIR/holder" <<'END'
#!/usr/bin/env perl
use strict;
use warnings;
use Fcntl;
use IO::Socket::UNIX;
use IO::Socket::INET;
my ($how, @command) = @ARGV;
my $path = "$ENV{DIR}/held.sock";
my @sockets = (IO::Socket::UNIX->new(Local => $path, Listen => 100),
	IO::Socket::INET->new(LocalAddr => '127.0.0.1:0', Listen => 100));
open my $f, '>', "$ENV{DIR}/port"; print $f $sockets[1]->sockport; close $f;
if ($how eq 'one') { my $gone = pop @sockets }
my $pid = fork;
if (!$pid) {
	use POSIX;
	my $to = 3;
	POSIX::dup2(fileno $_, 20 + $to++) for @sockets;
	$to = 3;
	POSIX::dup2(20 + $to, $to), POSIX::close(20 + $to), $to++ for @sockets;
	if ($how eq 'unicorn') { $ENV{UNICORN_FD} = '3,4' }
	else { $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = @sockets }
	chdir $ENV{DIR};
	exec @command or die;
}
open $f, '>', "$ENV{DIR}/holder.new"; print $f $pid; close $f;
rename "$ENV{DIR}/holder.new", "$ENV{DIR}/server.pid";
$SIG{USR1} = sub {
	my $bits = '';
	vec($bits, fileno $sockets[0], 1) = 1; # the server has made it non-blocking
	select $bits, undef, undef, 10;
	my $c = $sockets[0]->accept;
	sysread $c, my $request, 4096;
	print $c "HTTP/1.0 200 OK\r\n\r\nthe holder\n";
	close $c;
};
$SIG{ALRM} = sub { kill 'KILL', $pid; exit 1 };
alarm 120;
waitpid $pid, 0;
open $f, '>', "$ENV{DIR}/ended"; close $f;
sleep 60 while 1;
END
chmod +x "$DIR/holder"
hold() { # HOW COMMAND...
	rm -f "$DIR/server.pid" "$DIR/ended" "$DIR/held.sock"
	: >"$LOG"
	"$DIR/holder" "$@" >>"$LOG" 2>&1 </dev/null &
	HOLDER=$!
	until_true [ -s "$DIR/server.pid" ]
	MASTER=$(cat "$DIR/server.pid")
	SOCK=$DIR/held.sock
	until_true ready_or_dead
	ok 'starts' serving
}
let_go() {
	kill "$HOLDER"
	wait "$HOLDER" 2>/dev/null
	rm -f "$DIR/pids"
}
port() { curl -sS --max-time 15 "http://127.0.0.1:$(cat "$DIR/port")/"; }

echo 'worker_processes 1' >"$DIR/u.rb"
for how in systemd unicorn; do
	hold $how "$DIR/bin/unicorn" -c "$DIR/u.rb"
	like "$how: the socket is served" "$(get /)" '^[0-9]+$'
	like 'and the port' "$(port)" '^[0-9]+$'
	ok 'said so' logged "inherited addr=$SOCK fd=3"
	ok 'twice' logged "inherited addr=127.0.0.1:$(cat "$DIR/port") fd=4"
	nok 'no default listener' logged '0\.0\.0\.0:8080'
	if [ $how = systemd ]; then
		kill -HUP "$MASTER"
		await 'HUP' logged 'done reloading config_file'
		like 'it is served still' "$(get /)" '^[0-9]+$'
		like 'and the port' "$(port)" '^[0-9]+$'
	fi
	kill -QUIT "$MASTER"
	await 'it ends' [ -e "$DIR/ended" ]
	MASTER=
	kill -USR1 "$HOLDER"
	is 'whoever has them can go on' "$(get /)" 'the holder'
	let_go
done

# A file that names the same ones binds nothing twice; native, too.
cat >"$DIR/n.rb" <<END
worker_processes 1
listen "$DIR/held.sock", backlog: 10
listen "$DIR/more.sock"
rack { ->(env) { [200, {}, ["native\n"]] } }
END
hold systemd "$REFORKD" -c "$DIR/n.rb"
is 'native: the socket is served' "$(get /)" native
is 'and the port' "$(port)" native
is 'and what the file names besides' "$(SOCK=$DIR/more.sock get /)" native
nok 'none is bound again' logged 'listening on addr=.*held.sock'
kill -QUIT "$MASTER"
await 'it ends' [ -e "$DIR/ended" ]
MASTER=
let_go

# What is no socket
nok 'a number that is no socket' sh -c "cd '$DIR' && UNICORN_FD=0 timeout 20 bin/unicorn -c u.rb 2>err"
ok 'is named' grep -q 'UNICORN_FD: descriptor 0 is not a listening stream socket' "$DIR/err"
nok 'nor a number' sh -c "cd '$DIR' && UNICORN_FD=x timeout 20 bin/unicorn -c u.rb 2>err"
ok 'is named' grep -q 'UNICORN_FD=x: descriptors with commas between' "$DIR/err"
finish
