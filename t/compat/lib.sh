# lib.sh - e2e/lib.sh, and what comparisons with the real servers need besides.
#
#   peer unicorn CONF [args]   starts the gem of $PEER_GEMS (t/gems/unicorn) on
#                        $PEER_SOCK, with the same CONF; pid in $PEER, its log in
#                        $PEER_LOG. Skips the whole test when it is not installed
#   peer_stop [SIGNAL]   ends it
#   as NAME CONF [args]  like start, but the program is called NAME
#   run_as NAME ARGS     runs a link of that name to its end, 20 s at most, in
#                        $DIR: output in $DIR/out and $DIR/err, status returned
#   peer_run NAME ARGS   the same with the gem's program: $DIR/peer.out, .err
#   both NAME PIECE...   raw PIECEs to both: same bytes, Date and Server aside
#   raw PIECE...         t/e2e/raw
#   holds FILE ERE, line_of FILE ERE     grep -Eq; the number of its first line
. "$(dirname "$0")/../e2e/lib.sh"

PEER_GEMS=${PEER_GEMS:-t/gems/unicorn}
PEER='' PEER_SOCK=$DIR/peer.sock PEER_LOG=$DIR/peer.log
READY='worker=0 .*ready'
mkdir "$DIR/bin"
for lib_name in unicorn unicorn_rails pitchfork reforkd; do
	ln -s "$REFORKD" "$DIR/bin/$lib_name"
done

raw() { "$ROOT/t/e2e/raw" "$@"; }
holds() { grep -Eq -- "$2" "$1"; }
line_of() { grep -En -m 1 -- "$2" "$1" | cut -d: -f1; }

# The program finds reforkd-mold beside what the link names.
as() { # NAME CONF [args]
	as_was=$REFORKD
	REFORKD=$DIR/bin/$1
	shift
	start "$@"
	REFORKD=$as_was
}

run_as() { # NAME ARGS
	run_name=$1
	shift
	(cd "$DIR" && exec timeout 20 "$DIR/bin/$run_name" "$@") >"$DIR/out" 2>"$DIR/err" </dev/null
}

peer_env() { # CMD...: with the gem and its neighbours
	(
		root=$ROOT
		. "$ROOT/t/bundle.sh"
		bundle_use "$ROOT/$PEER_GEMS"
		exec "$@"
	)
}

peer_program() { # NAME: where the gem's program is
	peer_gem=${1%_rails}
	peer_env "${RUBY:-ruby}" -e 'puts Gem.bin_path(ARGV[0], ARGV[1])' "$peer_gem" "$1" 2>/dev/null
}

need_peer() { # NAME; only before the first test
	PEER_PROGRAM=$(peer_program "$1") || skip_all "the gem $1 is not installed (t/setup check)"
	export PEER_PROGRAM
}

peer_run() { # NAME ARGS
	peer_name=$1
	shift
	peer_file=$(peer_program "$peer_name") || return 127
	(cd "$DIR" && peer_env timeout 20 "${RUBY:-ruby}" "$peer_file" "$@") \
		>"$DIR/peer.out" 2>"$DIR/peer.err" </dev/null
}

peer() { # NAME CONF [args]
	PEER_PROGRAM=$(peer_program "$1") || { echo "no gem $1" >"$DIR/said"; return 1; }
	shift
	peer_conf=$1
	shift
	: >"$PEER_LOG"
	(
		root=$ROOT
		. "$ROOT/t/bundle.sh"
		bundle_use "$ROOT/$PEER_GEMS"
		SOCK=$PEER_SOCK
		export SOCK
		exec perl -e 'BEGIN { $SIG{$_} = "DEFAULT" for qw(INT QUIT) }
			chdir $ENV{DIR} or die; exec @ARGV or die "$ARGV[0]: $!\n"' \
			-- "${RUBY:-ruby}" "$PEER_PROGRAM" -c "$peer_conf" -l "$PEER_SOCK" "$@"
	) >>"$PEER_LOG" 2>&1 </dev/null &
	PEER=$!
	until_true peer_ready
}
peer_ready() { gone "$PEER" || grep -Eq 'worker=0.* ready' "$PEER_LOG"; }
peer_stop() {
	[ -n "$PEER" ] || return 0
	kill -"${1:-QUIT}" "$PEER" 2>/dev/null
	until_true gone "$PEER" || kill -KILL "$PEER"
	wait "$PEER" 2>/dev/null
	PEER=
}

# What may differ: the second in which it was answered, and who answered.
# Lengths that ours says and theirs does not, and the order of a head, are no
# differences.
plain() {
	perl -0777 -pe 's/^(HTTP[^\n]*\n)(.*?\r\n)(?=\r\n)/join "", $1,
		sort { lc $a cmp lc $b } map { s|^Date: .*GMT|Date: x|r } grep { !\/^Content-Length:\/i } split \/^\/m, $2/gmse'
}

both() { # NAME PIECE...
	both_name=$1
	shift
	both_theirs=$(SOCK=$PEER_SOCK raw -t 5 "$@" 2>&1 | plain | cat -v)
	both_ours=$(raw -t 5 "$@" 2>&1 | plain | cat -v)
	printf '%s\n' "$both_ours" >"$DIR/ours.txt"
	printf '%s\n' "$both_theirs" >"$DIR/theirs.txt"
	[ -z "${KEEP_DIFFS:-}" ] || { echo "== $both_name"; diff -a -U0 "$DIR/theirs.txt" "$DIR/ours.txt" | tail -n +3; } >>"$KEEP_DIFFS"
	ok "$both_name" diff -a --label theirs --label ours -U0 "$DIR/theirs.txt" "$DIR/ours.txt"
}
