#!/bin/sh
# Limits of memory and requests: who is over one is replaced, no request fails,
# and the log says who, how much, which limit and what is done.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3


restart() {
	stop && : >"$LOG" && rm -f "$DIR/pids"
	start "$CONF"
}
pool_mb() { # the sum of PSS of all its processes
	for pool_pid in $(pids .); do
		cat "/proc/$pool_pid/smaps_rollup" 2>/dev/null
	done | awk '/^Pss:/ { kb += $2 } END { print int(kb / 1024) }'
}
most=0
watch() { # CMD...; until it succeeds or the load has ended; the largest sum in $most
	while alive "$LOADER" && ! "$@"; do
		watch_mb=$(pool_mb)
		[ "$watch_mb" -le "$most" ] || most=$watch_mb
		pause
	done
}
serve() { # N requests
	perl -MIO::Socket::UNIX -e 'for (1 .. $ARGV[0]) {
		my $s = IO::Socket::UNIX->new($ENV{SOCK}) or die "$!\n";
		print $s "GET / HTTP/1.0\r\n\r\n"; $s->flush; local $/; <$s> =~ m{^HTTP/1.1 200} or die "no 200\n" }' "$1"
}

# So many requests
export LEAK_KB=0
conf <<END
worker_processes 2
worker_max_requests 50
refork false
rack "$ROOT/t/apps/leak.ru"
END
start "$CONF"
workers >"$DIR/before"
ok 'load starts' load_start -c 4 -n 2000 -t 60
ok 'requests go on while workers are replaced' load_wait
ok 'each replacement says why' logged 'worker=[01] gen=0 pid=[0-9]+ has served (4[5-9]|[5-9][0-9]|[0-9]{3}) requests .worker_max_requests 50.: a successor replaces it, then it drains' 4
both_new() { workers >"$DIR/after" && ! grep -qxFf "$DIR/before" "$DIR/after" && count 2 workers; }
await 'both workers are others by now' both_new
nok 'none was ended by force' logged 'SIGKILL|killing'

# One worker's memory
export LEAK_KB=100
conf <<END
worker_processes 2
worker_memory_limit uss: "40M", jitter: 0
refork false
rack "$ROOT/t/apps/leak.ru"
END
restart
ok 'load starts' load_start -c 4 -t 90 --plain --think 10
replaced='worker=[01] gen=0 pid=[0-9]+ has [4-9][0-9] MB .USS. after [0-9]+ requests, above its 40 MB of worker_memory_limit 40 MB: a successor replaces it, then it drains'
watch logged "$replaced" 2
ok 'requests go on while workers grow' load_stop
ok 'each replacement says who, how much, the limit' logged "$replaced" 2
nok 'none was ended by force' logged 'SIGKILL|killing'

conf <<END
worker_processes 1
worker_memory_limit rss: "120M"
refork false
rack "$ROOT/t/apps/leak.ru"
END
restart
ok 'sixteen requests' serve 16
ok 'one that leaks at once' body /once keeps
ok 'which takes it over' body /once keeps
await 'its RSS' logged 'has [0-9]+ MB .RSS. after 1[0-9] requests, above its 1[0-9][0-9] MB of worker_memory_limit 120 MB'
await 'a successor serves' body / 'keeps [1-9]$'

# All of them: 4 workers leak about 20 MB a second
export LEAK_KB=20
conf <<END
worker_processes 4
memory_budget "240M"
refork false
rack "$ROOT/t/apps/leak.ru"
END
restart
ok 'load starts' load_start -c 8 -t "${LEAK_SECONDS:-90}" --plain --think 8
fattest='has most of its own, [0-9]+ MB, while the pool holds [0-9]+ MB of its memory_budget 240 MB: a successor'
most=0
watch logged "$fattest" 3
ok 'a leaking application loses no request' load_stop
diag <<END
the pool held at most $most MB
END
ok 'and stays within its budget' [ "$most" -le 240 ]
ok 'having needed much more' [ "$most" -ge 140 ]
ok 'first all collect' logged 'the pool holds [0-9]+ MB of its memory_budget 240 MB: asking 4 workers to collect and trim'
ok 'as they say' logged 'worker=[0-3] collected and trimmed in [0-9]+ ms: RSS [0-9]+ -> [0-9]+ MB' 4
ok 'then the fattest is replaced' logged "$fattest" 3
nok 'none was ended by force' logged 'SIGKILL|killing'
like 'status names the budget' "$(ctl status --json)" '"budget_kb": 245760'
score() { cat "/proc/$1/oom_score_adj"; }
ok 'the kernel would end a worker first' [ "$(score "$(worker 0)")" -gt "$(score "$(molds)")" ]
ok 'and the master last' [ "$(score "$(molds)")" -gt "$(score "$MASTER")" ]

# Too small a budget for so many: each has 30 MB from its birth
conf <<END
worker_processes 4
memory_budget "60M"
refork false
after_worker_fork { |_server, _worker| \$own = Array.new(30) { "y" * (1 << 20) } }
rack { |env| [200, {}, ["fine\n"]] }
END
restart
AWAIT=40
await 'there are fewer workers' logged 'workers: 4 -> 3 .the pool holds [0-9]+ MB of its memory_budget 60 MB.'
ok 'that serve' body / fine
nok 'none was ended by force' logged 'SIGKILL|killing'
finish
