#!/bin/sh
# B49. `queues`/`queues_per_worker` mapping; `setpgid` both ways; titles with
# request count, path, X-Request-Id. Beside pitchfork's own; a listener's
# queues under reloads are in t/e2e/queues.t.
. "$(dirname "$0")/lib.sh"
. "$ROOT/t/e2e/queues.sh"
PEER_GEMS=t/gems/pitchfork
need_peer pitchfork
export RACK_ENV=none
ours_port=$(free_port) peer_port=$(free_port)
cat >"$DIR/p.rb" <<'END'
worker_processes 4
timeout 10
listen "127.0.0.1:#{ENV["TCP"]}", queues: 3, queues_per_worker: 2, tcp_defer_accept: 0
setpgid ENV["OWN_GROUP"] == "true" unless ENV["OWN_GROUP"].to_s.empty?
after_worker_fork do |_server, worker|
  File.write("#{ENV["HELPER"]}.new", spawn("sleep", "60", %i[out err] => File::NULL).to_s) if ENV["HELPER"] && worker.nr.zero?
  File.rename("#{ENV["HELPER"]}.new", ENV["HELPER"]) if ENV["HELPER"] && worker.nr.zero?
end
END
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  sleep 0.01 until env["PATH_INFO"] != "/hold" || File.exist?("#{ENV["RFK_TEST"]}/go")
  [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]]
}
END
of() { # PEER|OURS CMD...: with its master and socket
	of_who=$1
	shift
	if [ "$of_who" = ours ]; then "$@"; else (MASTER=$PEER SOCK=$PEER_SOCK && "$@"); fi
}
# "pitchfork (gen:0) worker[1] - requests: 0, waiting", the command line aside.
titles() { tree "$1" | cut -d' ' -f2- | sed "s| -c .*| ARGV|" | sort; }
# Who leads a process group: "worker[1] own"
groups() {
	tree '^pitchfork' | while read -r pid title; do
		own="master's"
		[ "$(ps -o pgid= -p "$pid" | tr -d ' ')" = "$pid" ] && own=own
		[ "$pid" = "$MASTER" ] || echo "${title%% -*} $own"
	done | sort
}
# Which of the port's sockets, by age, each worker waits at: "0: 0 1"
queues() { # PORT
	for nr in 0 1 2 3; do
		perl -e 'my ($port, $nr, $pid) = @ARGV;
			open my $tcp, "<", "/proc/$pid/net/tcp" or die; my @inodes;
			while (<$tcp>) { my @f = split; push @inodes, $f[9] if $f[3] eq "0A" && $f[1] =~ /:0*@{[sprintf "%X", $port]}$/ }
			my %age; $age{$_} = keys %age for sort { $a <=> $b } @inodes;
			my %seen;
			for my $info (glob "/proc/$pid/fdinfo/*") {
				open my $in, "<", $info or next;
				while (<$in>) {
					next unless /^tfd:\s+(\d+)/;
					my $at = readlink("/proc/$pid/fd/$1") // "";
					$seen{$age{$1}} = 1 if $at =~ /^socket:\[(\d+)\]/ && defined $age{$1};
				}
			}
			print "$nr: @{[sort keys %seen]}\n"' "$1" "$nr" "$(worker "$nr")"
	done
}
at() { curl -s --max-time 5 -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$ours_port$1"; }

TCP=$peer_port
export TCP
ok 'pitchfork starts' peer pitchfork "$DIR/p.rb" "$DIR/config.ru"
TCP=$ours_port
with_bundle t/gems/pitchfork
as pitchfork "$DIR/p.rb" "$DIR/config.ru"
same() { # NAME CMD...: both say the same
	same_name=$1
	shift
	until_true same_now "$@"
	result $? "$same_name"
}
same_now() {
	of peer "$@" >"$DIR/theirs"
	of ours "$@" >"$DIR/mine"
	[ -s "$DIR/mine" ] && diff -U1 "$DIR/theirs" "$DIR/mine"
}
idle() { [ "$(titles 'requests: 0, waiting' | wc -l)" -eq 4 ]; }
await 'ours: four wait' of ours idle
await 'theirs too' of peer idle
same 'titles' titles .
same 'process groups' groups
is 'each has its own' "$(sed 's/.* //' "$DIR/mine" | sort | uniq -c | tr -s ' ')" ' 5 own'
queues "$ours_port" >"$DIR/mine"
of peer queues "$peer_port" >"$DIR/theirs"
ok 'queues' diff -U4 "$DIR/theirs" "$DIR/mine"
is 'two each, from its number on' "$(tr '\n' ' ' <"$DIR/mine")" '0: 0 1 1: 1 2 2: 0 2 3: 0 1 '
plain_log() { sed -n 's/.*-- //p' "$1" | grep "listening on addr=127" | sed 's/:[0-9]* fd=[0-9]*/ N/'; }
plain_log "$PEER_LOG" >"$DIR/theirs"
plain_log "$LOG" >"$DIR/mine"
ok 'said the same' diff -U3 "$DIR/theirs" "$DIR/mine"
if command -v ss >/dev/null; then
	is 'the backlog is shared' "$(ss -ltnH "sport = :$ours_port" | awk '{ print $3 }' | tr '\n' ' ')" '341 341 341 '
else
	echo "# no ss: the backlogs are not looked at"
fi

hold() { # SOCK [curl options]
	hold_sock=$1
	shift
	curl -s --max-time 20 -o /dev/null --unix-socket "$hold_sock" "$@" 'http://localhost/hold?x=1' &
}
ok 'all is served' all_answered
processing() { titles 'processing' | sed 's/worker.[0-9]./worker[N]/; s/requests: [0-9]*/requests: N/' | sort; }
held() { [ "$(processing | wc -l)" -eq "$1" ]; }
hold "$SOCK" -H 'X-Request-Id: 4f-2 b'
hold "$PEER_SOCK" -H 'X-Request-Id: 4f-2 b'
await 'ours runs one' of ours held 1
await 'theirs too' of peer held 1
hold "$SOCK"
hold "$PEER_SOCK"
same 'titles of requests' processing
is 'with path and id' "$(cat "$DIR/mine")" 'pitchfork (gen:0) worker[N] - requests: N, processing: /hold
pitchfork (gen:0) worker[N] - requests: N, processing: /hold, request_id: 4f-2 b'
kill -TERM "$MASTER" "$PEER"
same 'of a stop' titles monitor
is 'it says so' "$(cat "$DIR/mine")" 'pitchfork monitor - shutting down'
: >"$DIR/go"
await 'ours ends' gone "$MASTER"
await 'so does theirs' gone "$PEER"
wait "$MASTER" "$PEER" 2>/dev/null
MASTER='' PEER=''

# A terminal's ^C: a process that a worker has started gets it, or does not.
if ! script -qec true /dev/null >/dev/null 2>&1 </dev/null; then
	echo "# no pseudo terminal here (script): ^C is not tried"
	finish
fi
on_tty() { # NAME OWN_GROUP COMMAND
	mkfifo "$DIR/$1.keys"
	mkdir -m 700 "$DIR/$1.run"
	sleep 30 >"$DIR/$1.keys" & # keeps it open
	eval "$1_open=$!"
	(cd "$DIR" && TCP=$(free_port) OWN_GROUP=$2 HELPER=$DIR/$1.helper XDG_RUNTIME_DIR=$DIR/$1.run exec timeout 30 \
		script -qec "$3" /dev/null) <"$DIR/$1.keys" >"$DIR/$1.tty" 2>&1 &
	eval "$1=$!"
}
ours="exec '$DIR/bin/pitchfork' -c '$DIR/p.rb' '$DIR/config.ru'"
theirs="exec '${RUBY:-ruby}' '$PEER_PROGRAM' -c '$DIR/p.rb' '$DIR/config.ru'"
on_tty o_true true "$ours -l $DIR/1.sock"
on_tty o_false false "$ours -l $DIR/2.sock"
on_tty o_unset '' "$ours -l $DIR/3.sock"
on_tty t_true true "$theirs -l $DIR/4.sock"
on_tty t_false false "$theirs -l $DIR/5.sock"
for name in o_true o_false o_unset t_true t_false; do
	await "$name: on a terminal" [ -e "$DIR/$name.helper" ]
	[ -e "$DIR/$name.helper" ] || { cat "$DIR/$name.tty" | diag; finish; }
	printf '\003' >"$DIR/$name.keys"
done
for name in o_true o_false o_unset t_true t_false; do
	eval "await '$name: ^C ends it' gone \$$name"
	eval "kill \$${name}_open; wait \$${name}_open \$$name" 2>/dev/null
	helper=$(cat "$DIR/$name.helper")
	case $name in
	*_true) ok "$name: and not what its worker has started" alive "$helper" ;;
	*) await "$name: and what its worker has started" gone "$helper" ;;
	esac
	kill "$helper" 2>/dev/null
done
finish
