#!/bin/sh
# C58. oom_score_adj: workers go first, then molds, the master last; in every
# generation, and relative to what reforkd was started with.
. "$(dirname "$0")/lib.sh"
conf <<'CONF'
worker_processes 2
canary_time 0.05
refork_after false
rack { |env| [200, { "content-type" => "text/plain" }, [File.read("/proc/self/oom_score_adj")]] }
CONF
score() { cat "/proc/$1/oom_score_adj"; }
ordered() { # two equal steps up, from the master to the workers
	step=$(($(score "$(molds)") - $(score "$MASTER")))
	echo "master $(score "$MASTER") mold $(score "$(molds)") workers $(score "$(worker 0)") $(score "$(worker 1)")"
	[ "$step" -gt 0 ] &&
		for pid in $(workers); do
			[ "$(score "$pid")" -eq "$(($(score "$(molds)") + step))" ] || return 1
		done
}
settled() { [ "$(molds | wc -l)" -eq 1 ] && count 2 workers && ordered; }
# The one that may be lowered ends where the others begin.
at_base() { [ "$(score "$MASTER")" -eq "$1" ] || [ "$(score "$(worker 0)")" -eq "$1" ]; }

base=$(score $$)
start "$CONF"
await 'master, mold, workers' settled
ok 'around what reforkd was started with' at_base "$base"
is 'the application sees its own' "$(get /)" "$(score "$(worker 0)")"
kill -KILL "$(worker 0)"
await 'a replaced worker' settled
ok 'refork' ctl refork
await 'a mold that was a worker' settled
ok 'reload' ctl reload
await 'a mold that was booted' settled
kill -KILL "$(molds)"
await 'and one that took a dead one'\''s place' settled
ok 'stops' stop

# What the service manager has set stays the base.
cat >"$DIR/higher" <<END
#!/bin/sh
echo $((base + 300)) >/proc/self/oom_score_adj || exit 1
exec "$REFORKD" "\$@"
END
chmod +x "$DIR/higher"
REFORKD=$DIR/higher
: >"$LOG"
rm -f "$DIR/pids"
start "$CONF"
await 'master, mold, workers' settled
ok 'around a higher one' at_base $((base + 300))
finish
