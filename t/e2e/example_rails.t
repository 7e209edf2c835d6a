#!/bin/sh
# examples/rails: every page, the login and forms in each of three generations.
# The worker that is promoted has used Timeout and the database, which neither
# may refuse the refork nor reach the children.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
shop() { "${RUBY:-ruby}" "$ROOT/t/e2e/shop" "$SOCK" "$@"; }
# The slot of a living worker that has answered PATH, by the application's log.
slot_of() {
	for pid in $(sed -n "s|.*#\([0-9]*\)\].* Started GET \"$1\".*|\1|p" "$LOG" | sort -u); do
		tree '^reforkd worker ' | sed -n "s/^$pid reforkd worker \([0-9]*\) .*/\1/p"
	done | head -n 1
}

seeded=$ROOT/examples/rails/storage/seeded.sqlite3
[ -e "$seeded" ] || skip_all 'examples/rails is not set up: t/setup run'
cp "$seeded" "$DIR/shop.sqlite3" && mkdir "$DIR/first"
export DATABASE_URL="sqlite3:$DIR/shop.sqlite3" PORT=0 # the kernel chooses
REFORKD=$DIR/start
printf '#!/bin/sh\nexec "%s/examples/start" rails "$@"\n' "$ROOT" >"$REFORKD"
chmod +x "$REFORKD"
REFORK_AFTER="50 1000000" start "$ROOT/examples/rails/app.conf"

drive() { # GENERATION
	ok "gen $1: every page" shop pages "$DIR/first"
	ok "gen $1: login, forms, tokens" shop buyer "$DIR/first"
}
drive 0
rounds=0
until generation 1 4 >"$DIR/said" || [ $rounds -ge 20 ]; do
	shop pages "$DIR/first" || break
	rounds=$((rounds + 1))
done
await 'fifty requests of one worker are a refork' generation 1 4
drive 1
slot=$(slot_of /statistics)
like 'a worker of generation 1 has answered /statistics' "$slot" '^[0-9]+$'
ok 'it can be promoted' ctl refork "$slot"
await 'and all are of generation 2' generation 2 4
drive 2
is 'by four processes' "$(shop pids 4 | cut -d' ' -f1 | sort)" "$(workers | sort)"
nok 'nothing was complained about' logged ' (ERROR|FATAL) -- : [^[]'
finish
