#!/bin/sh
# examples/rails with PostgreSQL: no two processes share a connection, neither
# before a refork nor after it, though the promoted worker had one.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"

# The server is the test's own, on a UNIX socket; PostgreSQL does not run as root.
[ "$(id -u)" = 0 ] || skip_all 'not root: cannot become the user postgres'
PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$PG_BIN/initdb" ] || ! getent passwd postgres >/dev/null; then
	"$ROOT/t/setup" pg >&2 || skip_all 'PostgreSQL cannot be installed'
	PG_BIN=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	[ -x "$PG_BIN/initdb" ] || skip_all 'PostgreSQL cannot be installed'
fi
with_bundle examples/rails
export BUNDLE_WITH=postgres
"${RUBY:-ruby}" -e 'require "pg"' 2>/dev/null || RUBYOPT= BUNDLE_GEMFILE= "$ROOT/t/setup" pg >&2 ||
	skip_all 'the gem pg cannot be installed'

PG=$(mktemp -d "${TMPDIR:-/tmp}/rfkpg.XXXXXX")
chown postgres "$PG"
postgres() { (cd "$PG" && runuser -u postgres -- env RUBYOPT= "$PG_BIN/$@"); }
postgres_end() {
	[ ! -e "$PG/data/postmaster.pid" ] || postgres pg_ctl -D data -m immediate -w stop >/dev/null
	rm -rf "$PG"
}
trap 'postgres_end; clean_up' EXIT

ok 'a cluster' postgres initdb -D data -A trust -U bookshop --no-sync
ok 'its server' postgres pg_ctl -D data -l log -w start \
	-o "-k '$PG' -c listen_addresses= -c fsync=off -c full_page_writes=off"
export PGHOST="$PG" PGUSER=bookshop DATABASE_URL=postgresql:///bookshop RAILS_ENV=production
seed() { (cd "$ROOT/examples/rails" && "${RUBY:-ruby}" bin/rails db:prepare); }
ok 'the books' seed
[ "$failures" -eq 0 ] || finish

shop() { "${RUBY:-ruby}" "$ROOT/t/e2e/shop" "$SOCK" "$@"; }
REFORKD=$DIR/start PORT=0 # the kernel chooses
export PORT
printf '#!/bin/sh\nexec "%s/examples/start" rails "$@"\n' "$ROOT" >"$REFORKD"
chmod +x "$REFORKD"
# Only what this test asks for replaces workers.
REFORK_AFTER=1000000 start "$ROOT/examples/rails/app.conf"

# "PID BACKEND" of each worker, gathered over all generations in $DIR/backends.
backends() {
	shop pids 4 | cut -d' ' -f1,4 >"$DIR/now"
	cat "$DIR/now" >>"$DIR/backends"
	cat "$DIR/now"
}
connected() { # N; the server's side of it
	[ "$(psql -Atd bookshop -c "SELECT count(*) FROM pg_stat_activity
		WHERE datname = 'bookshop' AND pid <> pg_backend_pid()")" = "$1" ]
}
drive() { # GENERATION
	ok "gen $1: a page with Timeout" body /statistics 'poetry'
	backends >/dev/null
	is "gen $1: four workers answer" "$(cut -d' ' -f1 "$DIR/now" | sort)" "$(workers | sort)"
	is "gen $1: each has its own connection" "$(cut -d' ' -f2 "$DIR/now" | grep -c '^[0-9]')" 4
	is "gen $1: no connection has two processes, then or now" \
		"$(sort -u "$DIR/backends" | cut -d' ' -f2 | sort | uniq -d)" ''
	await "gen $1: the server counts no more" connected 4
}
drive 0
for n in 1 2; do
	slot=$(tree '^reforkd worker ' | sed -n "s/^$(head -n 1 "$DIR/now" | cut -d' ' -f1) reforkd worker \([0-9]*\) .*/\1/p")
	ok "a worker with a connection is promoted, $n" ctl refork "$slot"
	await "all are of generation $n" generation $n 4
	drive $n
done
nok 'nothing was complained about' logged ' (ERROR|FATAL) -- : [^[]'
finish
