#!/bin/sh
# A35. Descriptors of the master, the mold and the workers stay as many over
# reloads and upgrades; t/e2e/refork.t does fifty reforks.
# A33. The configuration's own at_exit runs once in the process that read it, and once in
# each of its children that ends by QUIT, as in unicorn (t0020).
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/u.rb" <<END
worker_processes 1
preload_app true
pid "$DIR/u.pid"
listen "$SOCK"
stderr_path "$LOG"
at_exit { File.write("$DIR/at_exits", "#{Process.pid}\n", mode: "a") }
END
cat >"$DIR/config.ru" <<'END'
run ->(env) { [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]] }
END
: >"$DIR/at_exits"
pid() { cat "$DIR/u.pid" 2>/dev/null; }
other() { [ -n "$(pid)" ] && [ "$(pid)" != "$1" ] && alive "$(pid)"; }
fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
descriptors() { echo "$(fds "$MASTER") $(fds "$(molds)") $(fds "$(worker 0)")"; }
settled() { count 1 molds && count 1 workers; }
told() { # ERE: said so once more than before, and the old processes have gone
	said=$((said + 1))
	until_true logged "$1" "$said" && until_true settled
}
reload() { # N times
	said=$(grep -c 'done reloading' "$LOG")
	for i in $(seq "$1"); do
		kill -HUP "$MASTER"
		told 'done reloading config_file' || return 1
	done
}
upgrade() { # N times
	said=$(grep -c 'master process ready' "$LOG")
	for i in $(seq "$1"); do
		old=$MASTER
		kill -USR2 "$old"
		until_true other "$old" || return 1
		until_true logged 'master process ready' $((said + 1)) || return 1
		kill -QUIT "$old"
		until_true gone "$old" || return 1
		MASTER=$(pid)
		told 'master process ready' || return 1
	done
}
ok 'starts' run_as unicorn -D -E none -c "$DIR/u.rb"
MASTER=$(pid)
ok 'a reload' reload 2
early=$(descriptors)
ok 'twelve reloads' reload 12
is 'no descriptor is left over' "$(descriptors)" "$early"
ok 'an upgrade' upgrade 1
early=$(descriptors)
ok 'and four more' upgrade 4
is 'no descriptor is left over' "$(descriptors)" "$early"
is 'at_exit of the configuration: no process ran it twice' "$(sort "$DIR/at_exits" | uniq -d)" ''
mold=$(molds) worker=$(worker 0)
kill -QUIT "$MASTER"
await 'ends' gone "$MASTER"
is 'the last mold ran it, once' "$(grep -cx "$mold" "$DIR/at_exits")" 1
is 'and so did its worker, a child of it' "$(grep -cx "$worker" "$DIR/at_exits")" 1
finish
