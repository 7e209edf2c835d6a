#!/bin/sh
# C55. sd_notify: READY, RELOADING, STOPPING, STATUS, MAINPID, WATCHDOG and
# EXTEND_TIMEOUT_USEC, as a datagram socket of this test's hears them.
AWAIT=${AWAIT:-30}
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
HEARD=$DIR/heard
export HEARD
# Each datagram is a line, its fields with a | between.
cat >"$DIR/ear" <<'END'
use strict;
use Socket;
my ($name, $there) = @ARGV;
socket my $s, AF_UNIX, SOCK_DGRAM, 0 or die;
bind $s, pack 'S a*', AF_UNIX, $name =~ s/^@/\0/r or die "$name: $!";
open my $out, '>>', $ENV{HEARD} or die;
$out->autoflush(1);
open my $f, '>', $there; close $f;
$SIG{ALRM} = sub { exit };
alarm 300;
while (defined recv $s, my $text, 4096, 0) { print $out $text =~ tr/\n/|/r, "\n" }
END
ear() { # NAME: listens there from now on
	[ -z "${EAR:-}" ] || { kill "$EAR"; wait "$EAR"; } 2>/dev/null
	: >"$HEARD"
	rm -f "$DIR/there"
	NOTIFY_SOCKET=$1
	export NOTIFY_SOCKET
	perl -MIO::Handle "$DIR/ear" "$1" "$DIR/there" &
	EAR=$!
	until_true [ -e "$DIR/there" ]
}
heard() { grep -Eq -- "$1" "$HEARD"; }
marks() { wc -l <"$HEARD"; }
heard_since() { # MARK ERE
	tail -n "+$(($1 + 1))" "$HEARD" | grep -Eo -- "$2"
}
# What systemd starts has its own pid in these.
starter() { # NAME PROGRAM
	cat >"$DIR/$1" <<END
#!/bin/sh
[ -z "\$WATCHDOG" ] || {
	WATCHDOG_USEC=\$WATCHDOG WATCHDOG_PID=\$((\$\$ + \${OTHER:-0}))
	export WATCHDOG_USEC WATCHDOG_PID
}
exec "$2" "\$@"
END
	chmod +x "$DIR/$1"
	REFORKD=$DIR/$1
}
starter reforkd "$REFORKD"
READY='master process ready' WATCHDOG=300000
export WATCHDOG

cat >"$DIR/config.ru" <<'END'
run ->(env) {
  if env["PATH_INFO"] == "/held"
    File.write("#{ENV["RFK_TEST"]}/held", "")
    sleep 0.05 until File.exist?("#{ENV["RFK_TEST"]}/go")
  end
  [200, { "content-type" => "text/plain" }, [ENV.values_at("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS").inspect]]
}
END
conf <<CONF
worker_processes 2
refork_after false
canary_time 0.1
timeout 20
rack "$DIR/config.ru"
CONF
ear "@reforkd-test-$$"
start "$CONF"
like 'first: it boots, and wants time' "$(head -n 2 "$HEARD" | tr '\n' ' ')" '^STATUS=booting EXTEND_TIMEOUT_USEC=10000000 $'
await 'READY, when all workers serve' heard "^READY=1\|MAINPID=$MASTER\|STATUS=2 of 2 workers, generation 0\$"
is 'once' "$(grep -c READY=1 "$HEARD")" 1
fed() { [ "$(grep -c '^WATCHDOG=1$' "$HEARD")" -ge 4 ]; }
await 'WATCHDOG=1, again and again' fed
is 'nobody below can speak for it' "$(get /)" '[nil, nil, nil, nil]'

monotonic() { perl -MTime::HiRes=clock_gettime,CLOCK_MONOTONIC -e 'printf "%d\n", clock_gettime(CLOCK_MONOTONIC) * 1e6'; }
reloaded() { [ "$(heard_since "$mark" 'RELOADING=1|READY=1' | tr '\n' ' ')" = 'RELOADING=1 READY=1 ' ]; }
mark=$(marks) before=$(monotonic)
kill -HUP "$MASTER"
await 'HUP: RELOADING, then READY' reloaded
at=$(heard_since "$mark" 'MONOTONIC_USEC=[0-9]+' | cut -d= -f2)
ok 'with the time at which it began' [ "$before" -lt "${at:-0}" -a "${at:-0}" -lt "$(monotonic)" ]
ok 'and what came of it' heard 'READY=1\|MAINPID=[0-9]+\|STATUS=.*generation 1; reload to gen=1 done in [0-9]+ms'
cp "$CONF" "$DIR/good"
echo 'raise "é"' >>"$CONF"
mark=$(marks)
nok 'a reload that fails' ctl reload
await 'says the same two words' reloaded
ok 'and why' heard 'STATUS=2 of 2 workers, generation 1; reload to gen=2 failed: .*reforkd.conf.rb:6'
cp "$DIR/good" "$CONF"
mark=$(marks)
ok 'a restart' ctl restart
await 'is a reload by another program' reloaded
ok 'of the same pid' heard "^READY=1\|MAINPID=$MASTER\|STATUS=2 of 2 workers, generation [0-9]; reload to gen=[0-9] done"
is 'which does not boot' "$(heard_since "$mark" booting)" ''
fed_since() { tail -n "+$((mark + 1))" "$HEARD" | grep -q '^WATCHDOG=1$'; }
await 'and feeds the watchdog' fed_since
ok 'a refork' ctl refork
await 'is no reload, and stands in STATUS' heard '^STATUS=2 of 2 workers, generation [0-9]; refork to gen=[0-9] done'
is 'only those' "$(grep -c RELOADING "$HEARD")" 3
get /held >"$DIR/answer" 2>&1 &
getter=$!
until_true [ -e "$DIR/held" ]
mark=$(marks)
kill -TERM "$MASTER"
await 'TERM: STOPPING' heard '^STOPPING=1\|STATUS=stopping, [0-9] workers left$'
await 'and time for who still serves' heard_since "$mark" '^EXTEND_TIMEOUT_USEC='
touch "$DIR/go"
wait "$getter"
ok 'its request is answered' grep -q nil "$DIR/answer"
ok 'it ends' stop

# A path; a watchdog for another process; the unicorn way to a new program.
ear "$DIR/notify.sock"
OTHER=1
export OTHER
starter unicorn "$DIR/bin/unicorn"
printf 'worker_processes 1\npid "%s"\n' "$DIR/u.pid" >"$DIR/u.rb"
: >"$LOG"
start "$DIR/u.rb"
await 'READY over a path' heard "^READY=1\|MAINPID=$MASTER\|"
old=$MASTER
kill -USR2 "$old"
renewed() { new=$(cat "$DIR/u.pid" 2>/dev/null) && [ -n "$new" ] && [ "$new" != "$old" ]; }
until_true renewed
await 'the new master says that it is the one' heard "^READY=1\|MAINPID=$new\|"
mark=$(marks)
kill -QUIT "$old"
await 'the old one says so, too, when it goes' heard "^MAINPID=$new\$"
until_true gone "$old"
is 'for nothing stops' "$(heard_since "$mark" 'STOPPING=1')" ''
nok "a watchdog of another process's is not fed" heard WATCHDOG
wait "$old"
MASTER=$new
ok 'it ends' stop QUIT

# -D: systemd means the process that it has started, and its heir.
ear "$DIR/other.sock"
WATCHDOG=200000 OTHER=0
starter reforkd "$DIR/bin/reforkd"
: >"$LOG"
(cd "$DIR" && timeout 20 "$REFORKD" -c "$DIR/good" -l "$SOCK" -D -P "$DIR/d.pid") >>"$LOG" 2>&1 </dev/null
MASTER=$(cat "$DIR/d.pid")
await '-D: MAINPID is the daemon' heard "^READY=1\|MAINPID=$MASTER\|"
await 'which feeds the watchdog' heard '^WATCHDOG=1$'
kill "$EAR"
wait "$EAR" 2>/dev/null
rm "$DIR/other.sock"
ok 'with nobody listening it serves' body / nil
await 'and says so' logged 'NOTIFY_SOCKET=.*/other.sock: No such file or directory'
ok 'it ends' stop

# Values that cannot be.
wrong() { # VARIABLE=VALUE LINE
	(cd "$DIR" && env "$1" timeout 20 sh -c 'LISTEN_PID=$$ exec "$0" "$@"' "$DIR/bin/reforkd" -c "$DIR/none.rb" 2>"$DIR/err" </dev/null)
	like "$1" "$(cat "$DIR/err")" "$2"
}
WATCHDOG=
wrong NOTIFY_SOCKET=relative 'NOTIFY_SOCKET=relative: a path of less than 108 bytes or an @abstract name is expected'
unset NOTIFY_SOCKET
wrong LISTEN_FDS=three 'LISTEN_FDS=three: the number of descriptors is expected'
LISTEN_FDNAMES=web.socket:more
export LISTEN_FDNAMES
wrong LISTEN_FDS=1 'LISTEN_FDS \(web.socket\): descriptor 3 is not a listening stream socket'
finish
