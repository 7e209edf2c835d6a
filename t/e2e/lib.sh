# lib.sh - what the end-to-end tests say, in TAP. Sourced first by each of them:
#
#   ok NAME CMD...       CMD succeeds          await NAME CMD...  within 15 s
#   nok NAME CMD...      CMD fails             is NAME GOT WANT   same string
#   like NAME GOT ERE    GOT matches           unlike NAME GOT ERE
#   conf [NAME]          writes a config file from stdin, sets $CONF
#   start CONF [args]    starts reforkd, waits until it is ready; $MASTER.
#                        A test that wants a failing start says spawn
#   stop [SIGNAL]        ends it (TERM) and waits; fails when something is left
#   ctl ARGS             reforkctl           body PATH ERE, code PATH   curl
#   logged ERE [N]       the log has the line (N times)
#   tree [ERE]           "PID TITLE" of its processes
#   workers, molds       their PIDs          worker SLOT  one PID
#   generation N [COUNT] all workers are of generation N
#   remember, all_gone   the tree's processes, and whether none of them lives
#   load_start [args], load_wait, load_stop     t/load, see its usage
#   free_port            a number of 127.0.0.1 that nobody has
#   with_bundle DIR      gems of that Gemfile
#   finish               the plan; ends what still runs, shows the log on failure
#
# Each test has its own directory ($DIR), where $SOCK listens. Nothing waits for
# time: a test waits for a fact.

ROOT=${ROOT:-$(cd "$(dirname "$0")/../.." && pwd)}
B=${B:-build}
case $B in /*) ;; *) B=$ROOT/$B ;; esac
REFORKD=${REFORKD:-$B/reforkd}
REFORKCTL=${REFORKCTL:-$B/reforkctl}
LOAD=${LOAD:-$B/load}
AWAIT=${AWAIT:-15}
READY=${READY:-'worker[ =].*ready'}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/rfk.XXXXXX")
SOCK=$DIR/http.sock LOG=$DIR/log LOAD_IDS=$DIR/ids RFK_TEST=$DIR
XDG_RUNTIME_DIR=$DIR/run # the control socket's default place
export ROOT B DIR SOCK LOAD_IDS RFK_TEST XDG_RUNTIME_DIR
unset PORT RACK_ENV WEB_CONCURRENCY NOTIFY_SOCKET CURL_HOME
mkdir -m 700 "$XDG_RUNTIME_DIR"
MASTER= LOADER= CONF= tests=0 failures=0

exec 3>&1 # where TAP goes while a command's output is kept

pause() { perl -e 'select undef, undef, undef, 0.05'; }
now() { date +%s; }

# Tests and diagnostics

diag() { sed 's/^/# /'; }

result() { # STATUS NAME; what the command said comes from $DIR/said
	tests=$((tests + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tests - $2"
	else
		failures=$((failures + 1))
		echo "not ok $tests - $2"
		tail -n 20 "$DIR/said" | diag
	fi
	: >"$DIR/said"
}

ok() {
	ok_name=$1
	shift
	if "$@" >"$DIR/said" 2>&1; then result 0 "$ok_name"; else
		echo "exit $? of: $*" >>"$DIR/said"
		result 1 "$ok_name"
	fi
}

nok() {
	ok_name=$1
	shift
	if "$@" >"$DIR/said" 2>&1; then
		echo "succeeded: $*" >>"$DIR/said"
		result 1 "$ok_name"
	else result 0 "$ok_name"; fi
}

until_true() { # CMD...; $AWAIT seconds
	until_end=$(($(now) + AWAIT))
	while ! "$@" >"$DIR/said" 2>&1; do
		if [ "$(now)" -ge "$until_end" ]; then
			echo "not within $AWAIT s: $*" >>"$DIR/said"
			return 1
		fi
		pause
	done
}

await() {
	await_name=$1
	shift
	until_true "$@"
	result $? "$await_name"
}

is() {
	printf 'got:  %s\nwant: %s\n' "$2" "$3" >"$DIR/said"
	[ "$2" = "$3" ]
	result $? "$1"
}

matches() { printf '%s\n' "$1" | grep -Eq -- "$2"; }

like() {
	printf 'got:  %s\nlike: %s\n' "$2" "$3" >"$DIR/said"
	matches "$2" "$3"
	result $? "$1"
}

unlike() {
	printf 'got:    %s\nunlike: %s\n' "$2" "$3" >"$DIR/said"
	! matches "$2" "$3"
	result $? "$1"
}

skip_all() { # REASON; only before the first test
	echo "1..0 # SKIP $1"
	exit 0
}

# The server

conf() {
	CONF=$DIR/${1:-reforkd.conf.rb}
	cat >"$CONF"
}

# A shell makes its background jobs ignore INT and QUIT; a server must not
# inherit that, hence perl.
background() { # CMD...; pid in $!
	perl -e 'BEGIN { $SIG{$_} = "DEFAULT" for qw(INT QUIT) }
		chdir $ENV{DIR} or die; exec @ARGV or die "$ARGV[0]: $!\n"' \
		-- "$@" >>"$LOG" 2>&1 </dev/null &
}

spawn() { # CONF [args]; does not wait
	case $1 in /*) CONF=$1 ;; *) CONF=$PWD/$1 ;; esac
	shift
	grep -q 'ENV.*SOCK' "$CONF" || set -- -l "$SOCK" "$@"
	background "$REFORKD" -c "$CONF" "$@"
	MASTER=$!
}

ready_or_dead() { logged "$READY" || gone "$MASTER"; }
serving() { logged "$READY" && alive "$MASTER"; }

start() { # the rest of a test makes no sense when this fails
	spawn "$@"
	until_true ready_or_dead
	ok 'starts' serving
	[ "$failures" -eq 0 ] || finish
}

stop() {
	[ -n "$MASTER" ] || return 0
	remember
	kill -"${1:-TERM}" "$MASTER" 2>/dev/null
	until_true gone "$MASTER" || return
	wait "$MASTER" 2>/dev/null
	MASTER=
	until_true all_gone
}

ctl() { "$REFORKCTL" -c "$CONF" "$@"; }
get() { curl -sS --max-time 15 --unix-socket "$SOCK" "http://localhost$1"; }
body() { matches "$(get "$1")" "$2"; }
code() {
	curl -s --max-time 15 -o /dev/null -w '%{http_code}' \
		--unix-socket "$SOCK" "http://localhost$1"
}
logged() { [ "$(grep -Ec -- "$1" "$LOG")" -ge "${2:-1}" ]; }

# Below those that the kernel gives to clients: one of these is somebody's
# connection before long, while a server that had it is being started again.
free_port() {
	perl -MIO::Socket::INET -e 'open my $range, "<", "/proc/sys/net/ipv4/ip_local_port_range" or die;
		my ($least) = split " ", <$range>;
		my $most = $least > 12000 ? $least - 1 : 32767;
		for (1 .. 1000) {
			my $port = 10000 + int rand($most - 10000);
			next if !IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:$port", ReuseAddr => 1);
			print $port;
			exit;
		}
		die "no port is free\n"'
}

# Its processes

alive() { # a zombie is dead
	[ -n "$1" ] || return 1
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z* | X*) return 1 ;; esac
}
gone() { ! alive "$1"; }

tree() {
	[ -n "$MASTER" ] || return 0
	ps -e -o pid= -o ppid= -o stat= -o args= | perl -e '
		my ($master, $like) = @ARGV;
		my (%parent, %title);
		while (<STDIN>) {
			my ($pid, $ppid, $stat, $args) = split " ", $_, 4;
			next if $stat =~ /^[ZX]/;
			$parent{$pid} = $ppid;
			chomp($title{$pid} = $args // "");
		}
		for my $pid (sort { $a <=> $b } keys %title) {
			my $up = $pid;
			$up = $parent{$up} while $up && $up != $master;
			next if !$up || $title{$pid} !~ /$like/;
			print "$pid $title{$pid}\n";
		}' "$MASTER" "${1:-.}"
}

pids() { tree "$1" | cut -d' ' -f1; }
WORKER='(reforkd|unicorn|pitchfork .gen:[0-9]+.) worker'
workers() { pids "^$WORKER"; }
molds() { pids '^(reforkd|unicorn|pitchfork .gen:[0-9]+.) mold'; }
worker() { pids "^$WORKER( $1 |.$1\\] )"; }
count() { [ "$("$2" | wc -l)" -eq "$1" ]; } # count 4 workers

generation() { # N [COUNT]
	tree "^$WORKER" >"$DIR/workers"
	cat "$DIR/workers"
	generation_n=$(grep -Ec "worker.*gen $1\b|gen:$1\b" "$DIR/workers")
	[ "$generation_n" -ge 1 ] && [ "$generation_n" -eq "$(wc -l <"$DIR/workers")" ] &&
		{ [ -z "${2:-}" ] || [ "$generation_n" -eq "$2" ]; }
}

# With their start times, so that a pid used again is not taken for them.
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
remember() {
	for remember_pid in $(pids .); do
		echo "$remember_pid $(started "$remember_pid")"
	done >>"$DIR/pids"
}
living() {
	[ -s "$DIR/pids" ] || return 0
	sort -u "$DIR/pids" | while read -r living_pid living_since; do
		alive "$living_pid" && [ "$(started "$living_pid")" = "$living_since" ] &&
			echo "$living_pid"
	done
}
all_gone() {
	all_gone_left=$(living)
	[ -z "$all_gone_left" ] && return 0
	echo "still there: $all_gone_left"
	return 1
}

# What started here and escaped the tree: by its directory or environment.
strays() {
	perl -e '
		for my $proc (glob "/proc/[0-9]*") {
			my ($pid) = $proc =~ /(\d+)/;
			next if grep { $_ == $pid } @ARGV, $$;
			my $env = do { local (@ARGV, $/) = "$proc/environ"; no warnings; <> } // "";
			print "$pid\n" if index($env, "RFK_TEST=$ENV{DIR}\0") >= 0 ||
				index((readlink "$proc/cwd") // "", $ENV{DIR}) == 0;
		}' $$ 2>/dev/null
}

# Load and gems

load_start() {
	rm -f "$DIR/load.ready"
	"$LOAD" --ids "$LOAD_IDS" --ready-file "$DIR/load.ready" "$@" "$SOCK" \
		>"$DIR/load.out" 2>&1 &
	LOADER=$!
	until_true load_ready && [ -e "$DIR/load.ready" ]
}
load_ready() { [ -e "$DIR/load.ready" ] || gone "$LOADER"; }
load_wait() { # its failures are ours
	wait "$LOADER"
	load_status=$?
	LOADER=
	cat "$DIR/load.out"
	tail -n 1 "$DIR/load.out" | diag >&3
	return $load_status
}
load_stop() {
	kill -TERM "$LOADER" 2>/dev/null
	load_wait
}

with_bundle() { # t/gems/rack3
	root=$ROOT
	. "$ROOT/t/bundle.sh"
	bundle_use "$ROOT/$1"
}

# The end

clean_up() {
	trap - EXIT INT TERM
	[ -z "$LOADER" ] || kill -KILL "$LOADER" 2>/dev/null
	if [ -n "$MASTER" ]; then
		remember
		kill -KILL "$MASTER" 2>/dev/null
	fi
	for clean_pid in $(living) $(strays); do kill -KILL "$clean_pid" 2>/dev/null; done
	[ -n "${KEEP:-}" ] && echo "# kept $DIR" || rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

finish() {
	[ -z "$MASTER" ] || ok 'stops and leaves nothing behind' stop
	if [ "$failures" -gt 0 ]; then
		echo "# the end of the log:"
		tail -n "${TAIL:-60}" "$LOG" | diag
	fi
	echo "1..$tests"
	[ "$failures" -eq 0 ] || exit 1
	exit 0
}
: >"$DIR/said"
: >"$LOG"
