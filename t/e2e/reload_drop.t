#!/bin/sh
# A listener that a reload drops: whoever the kernel has queued on it gets a
# complete answer, whoever comes later is refused, and nothing hangs.
. "$(dirname "$0")/lib.sh"
export PORT=$(free_port)
write() { # WORKERS UNAVAILABLE ANSWER [LINE...]
	write_n=$1 write_unavailable=$2 write_answer=$3
	shift 3
	conf <<END
worker_processes $write_n
refork_max_unavailable $write_unavailable
canary_time 0.05
timeout 30
listen ENV.fetch("SOCK")
$(for line; do printf '%s\n' "$line"; done)
rack do
  lambda do |env|
    if env["PATH_INFO"] == "/slow"
      File.write(ENV.fetch("RFK_TEST") + "/begun.#{Process.pid}", "")
      sleep 0.01 until File.exist?(ENV.fetch("RFK_TEST") + "/go")
    end
    [200, { "content-type" => "text/plain" }, ["$write_answer " * 2000]]
  end
end
END
}
tcp="listen 'localhost:$PORT'" unix="listen '$DIR/second.sock'"
hup() { kill -HUP "$MASTER"; }
done_to() { logged "reload to gen=$1 done"; }
begun() { [ "$(find "$DIR" -name 'begun.*' | wc -l)" -eq "$1" ]; }
queued() { # N: on either listener, by what the kernel says of both
	[ "$(awk -v at="$(printf ':%04X' "$PORT")" '$4 == "0A" && index($2, at) { print $5 }' /proc/net/tcp)" = \
		"$(printf '00000000:%08X' "$1")" ] &&
		[ "$(grep -Ec " 02 +0 $DIR/second.sock" /proc/net/unix)" = "$1" ]
}
cut_off() { logged 'closing listener addr=127.0.0.1' && logged 'closing listener addr=/.*second.sock'; }
tcp_get() { curl -sS --max-time 15 "http://127.0.0.1:$PORT/"; }
unix_get() { curl -sS --max-time 15 --unix-socket "$DIR/second.sock" http://localhost/; }
refused() { "$@" >"$DIR/refused" 2>&1; [ $? -eq 7 ]; }
saturate() { # WORKERS QUEUED: a slow request in each, then as many queued
	rm -f "$DIR/go" "$DIR"/begun.* "$DIR"/got.*
	pids=
	i=0
	while [ $i -lt "$1" ]; do
		i=$((i + 1))
		get /slow >"$DIR/got.slow$i" 2>&1 &
		pids="$pids $!"
		until_true begun $i || return 1
	done
	i=0
	while [ $i -lt "$2" ]; do
		i=$((i + 1))
		tcp_get >"$DIR/got.tcp$i" 2>&1 &
		pids="$pids $!"
		unix_get >"$DIR/got.unix$i" 2>&1 &
		pids="$pids $!"
	done
	until_true queued "$2"
}
complete() { # ANSWER: each of them, from a worker of then
	for pid in $pids; do wait "$pid" || echo "curl: $?"; done
	for got in "$DIR"/got.*; do
		[ "$(wc -w <"$got")" -eq 2000 ] && ! grep -qv "^$1 " "$got" ||
			{ echo "$got: $(head -c 200 "$got")"; false; } || return 1
	done
}

gen=0
for n in 1 2 3; do
	write $n $n "old$n" "$tcp" "$unix"
	if [ $gen -eq 0 ]; then start "$CONF"; else
		hup
		await 'both are back' done_to $gen
		await 'with all workers' generation $gen $n
	fi
	ok "$n workers: both listeners serve" [ "$(tcp_get | wc -w) $(unix_get | wc -w)" = '2000 2000' ]
	ok 'each is busy, others are queued' saturate $n 8
	: >"$LOG"
	write $n $n "new$n"
	gen=$((gen + 1))
	hup
	await 'both are dropped' cut_off
	ok 'the new ones serve' until_true body / "^new$n "
	ok 'who comes now to the UNIX one is refused' refused unix_get
	touch "$DIR/go"
	ok 'each queued one gets its answer' complete "old$n"
	await 'the reload is done' done_to $gen
	await 'the old workers are gone' generation $gen $n
	ok 'who comes later is refused' refused tcp_get
	ok 'by both' refused unix_get
	gen=$((gen + 1))
done

# While clients never stop coming
for target in "127.0.0.1:$PORT" "$DIR/second.sock"; do
	write 2 1 old "$tcp" "$unix"
	hup
	await 'both are back' done_to $gen
	rm -f "$DIR/ready"
	"$LOAD" -c 16 -t 60 --close --plain --mode get --any -p / --until-refused \
		--ready-file "$DIR/ready" "$target" >"$DIR/load.out" 2>&1 &
	LOADER=$!
	await 'clients come' [ -e "$DIR/ready" ]
	write 2 1 new
	gen=$((gen + 1))
	hup
	await 'the reload is done' done_to $gen
	ok 'all were answered, then refused' load_wait
	like 'each of them' "$(cat "$DIR/load.out")" 'ended 16 '
	gen=$((gen + 1))
done
finish
