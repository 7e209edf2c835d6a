#!/bin/sh
# A mistake is one line that says where, and leaves nothing behind; -t prints
# what is in force; the command line and the environment say the rest.
. "$(dirname "$0")/lib.sh"
APP='rack { |env| [200, { "content-type" => "text/plain" }, ["#{ENV["RACK_ENV"]}\n"]] }'
mkdir "$DIR/empty"
bare() { # [VAR=VALUE...] -- ARGS: reforkd in an empty directory; output in $DIR/out
	bare_env=
	while [ "$1" != -- ]; do
		bare_env="$bare_env $1"
		shift
	done
	shift
	# shellcheck disable=SC2086
	(cd "$DIR/empty" && env $bare_env timeout 20 "$REFORKD" "$@" <&-) >"$DIR/out" 2>&1
	bare_status=$?
	cat "$DIR/out"
	return $bare_status
}
# LINE ERE: that line, as the file's third, is a mistake
mistake() {
	printf '# a file\n%s\n%s\n' "$APP" "$1" >"$DIR/c.rb"
	(bare -- -c "$DIR/c.rb" -l "$DIR/empty/never.sock")
	mistake_status=$?
	[ $mistake_status -eq 1 ] || return 1
	[ "$(wc -l <"$DIR/out")" -eq 1 ] || return 1
	[ -z "$(ls -A "$DIR/empty")" ] || return 1
	grep -E "^reforkd: $DIR/c\.rb:3: $2" "$DIR/out"
}
while read -r both; do
	ok "${both%% ~ *}" mistake "${both%% ~ *}" "${both##* ~ }"
done <<'END'
worker_processes "x" ~ not an integer: worker_processes="x"
worker_processes 0 ~ too low
max_consecutive_spawn_errors 0 ~ too low .*: max_consecutive_spawn_errors=0
max_consecutive_spawn_errors nil ~ not an integer: max_consecutive_spawn_errors=nil
pool(:more) { max_consecutive_spawn_errors 1 } ~ .*the whole server.s, not a pool.s
worker_processes 1000 ~ too high
worker_processes (3 ~ syntax error
x = begin y rescue A then 1 end ~ syntax error: unexpected .then
timeout "5" ~ not a number: timeout="5"
timeout Float::NAN ~ not a number
timeout 5, soft: 5 ~ timeout soft=5 is not below
tiemout 3 ~ unknown directive: tiemout .did you mean timeout\?
raise "boom" ~ boom .RuntimeError
Foo.new ~ uninitialized constant .*Foo
require "nope/nope" ~ cannot load such file -- nope/nope
exit 3 ~ the file called exit\(3\)
abort ~ the file called exit\(1\)
listen 70000 ~ port 70000 is out of range
listen "no port" ~ don't know how to bind
listen 1, backlog: "x" ~ not an integer: backlog="x"
listen 1, bcklog: 1 ~ unknown listen option: bcklog
user "no-such-user" ~ can't find user for no-such-user
working_directory "/no/such" ~ cannot enter working_directory=/no/such
pid "/no/such/pid" ~ directory for pid=/no/such/pid not writable
stderr_path "/no/such/err" ~ directory for stderr_path
logger 1 ~ logger=1 does not respond to
after_fork 1 ~ invalid type: after_fork=1
after_fork { |a| } ~ after_fork=.* has invalid arity: 1
refork_after "x" ~ not a number of requests
spare 2 ~ spare is for workers that clients lease
restart :never ~ restart is for work that runs by itself
signals "own" ~ signals="own" is not known .write signals :own
kind :run ~ kind=:run is not what the pool does: rack
kind :web ~ kind=:web is not known
pool(:a) { worker { }; spare 5; max 3 } ~ spare=5 is above max=3
memory_budget "80.5%" ~ not a size: memory_budget="80.5%" .*whole percent
preload_app 1 ~ preload_app=1 not a boolean
personality :x ~ personality=:x is not known
rack 1 ~ rack=1 is no application
malloc :hoard ~ malloc=:hoard is not known .:glibc, :jemalloc
malloc "/no/such.so" ~ malloc="/no/such.so" cannot be read: No such file
malloc "/etc/passwd" ~ malloc="/etc/passwd" is not a shared library
malloc arena_max: 0 ~ too low .* malloc_arena_max=0
malloc trim: 1 ~ malloc_trim=1 not a boolean
malloc arena: 2 ~ unknown keyword: :arena
rack "nope.ru" ~ nope.ru: not readable
listen "/no/such/dir/sock" ~ listen "/no/such/dir/sock": No such file or directory .make the directory first.
listen "192.0.2.1:9" ~ listen "192.0.2.1:9": .*annot assign .*ip address
listen "/etc/passwd" ~ listen "/etc/passwd": File exists and is not a socket .remove it
listen "/etc/passwd/sock" ~ listen "/etc/passwd/sock": Not a directory
pid "/proc/self/mounts" ~ pid "/proc/self/mounts": cannot write
control "/etc/passwd" ~ control "/etc/passwd": .*not a socket
END

# Without a place in a file
fails_with() { # ERE ARGS: exit 1 and one line
	fails_with=$1
	shift
	bare -- "$@"
	[ $? -eq 1 ] && [ "$(wc -l <"$DIR/out")" -eq 1 ] && grep -Eq "$fails_with" "$DIR/out"
}
ok 'a file that is not there' fails_with 'none.rb: cannot be read: No such file' -c none.rb
ok 'no application at all' fails_with 'config.ru: not readable' -l "$DIR/empty/never.sock"
echo "$APP" >"$DIR/c.rb"
ok 'a personality that is not' fails_with 'personality x is not known' -c "$DIR/c.rb" --personality x
nok 'an environment that is wrong' bare WEB_CONCURRENCY=many -- -t -c "$DIR/c.rb"
ok 'is named' grep -q 'WEB_CONCURRENCY="many"' "$DIR/out"
few() { # N: that many descriptors may be open
	(ulimit -n "$1" && bare -- -c "$DIR/c.rb" -l "$DIR/empty/never.sock")
}
for few in 16 22; do
	nok "no more than $few descriptors" few $few
	ok 'are too few, and the limit is named' grep -Eq 'Too many open files|ulimit -n' "$DIR/out"
	nok 'not something else' grep -Eq 'by hand|Linux 2.6.4' "$DIR/out"
done
nok 'a RUBYOPT that fails' bare RUBYOPT=-rnope_nope -- -c "$DIR/c.rb"
ok 'is what Ruby says of it' grep -q 'cannot load such file -- nope_nope' "$DIR/out"
nok 'and nothing else' grep -q 'unexpected return' "$DIR/out"
nok 'an unknown option' bare -- --frobnicate
is 'nothing was left' "$(ls -A "$DIR/empty")" ''

# An application that cannot be loaded
echo 'rack { raise "not today" }' >"$DIR/c.rb"
nok 'an application that raises' bare -- -c "$DIR/c.rb" -l "$DIR/http.sock"
is 'is said once' "$(grep -c 'not today' "$DIR/out")" 1
ok 'with its backtrace' grep -q "ERROR -- : $DIR/c.rb:1:in" "$DIR/out"
ok 'and what to do' sh -c "tail -n 1 '$DIR/out' | grep 'FATAL.*correct what it has said above'"
ok 'is named with its line' grep -q "not today (RuntimeError) at $DIR/c.rb:1" "$DIR/out"
is 'no process is left' "$(strays)" ''

# -t
directive() { # NAME: its values, from -t's output
	sed -n "s/^$1 //p" | sed 's/ *# [^#]*$//'
}
setting() { # NAME: what -t said
	directive "$1" <"$DIR/out"
}
cat >"$DIR/c.rb" <<END
$APP
worker_processes 3
timeout 12.5
listen "127.0.0.1:1234", backlog: 7
pid "$DIR/empty/pid"
refork_after [10, 20, false]
END
ok '-t finds no mistake' bare -- -t -c "$DIR/c.rb" -l "$DIR/empty/l.sock"
is 'prints what the file says' "$(setting worker_processes)" 3
is 'in its units' "$(setting timeout)" '12.5, soft: 11.25'
like 'with all listeners' "$(setting listen | tr '\n' ' ')" '^"127.0.0.1:1234", backlog: 7 .*empty/l.sock'
is 'and lists' "$(setting refork_after)" '[10, 20, false]'
is 'and defaults' "$(setting keepalive_timeout)" 5
is 'and the personality' "$(setting personality)" :native
is 'and makes nothing' "$(ls -A "$DIR/empty")" ''
is '-l alone adds' "$(bare -- -t -c "$DIR/c.rb" -l 127.0.0.1:99 | grep -c '^listen')" 2
echo "$APP" >"$DIR/c.rb"
is '-p' "$(bare -- -t -c "$DIR/c.rb" -p 81 | directive listen)" '"0.0.0.0:81", backlog: 1024'
is '-o' "$(bare -- -t -c "$DIR/c.rb" -o 127.0.0.1 | directive listen)" '"127.0.0.1:8080", backlog: 1024'
is '-o and -p' "$(bare -- -t -c "$DIR/c.rb" -o ::1 -p 81 | directive listen)" '"[::1]:81", backlog: 1024'
is 'PORT' "$(bare PORT=82 -- -t -c "$DIR/c.rb" | directive listen)" '"0.0.0.0:82", backlog: 1024'
is 'and -l before it' "$(bare PORT=82 -- -t -c "$DIR/c.rb" -l 127.0.0.1:83 | directive listen)" '"127.0.0.1:83", backlog: 1024'
is 'WEB_CONCURRENCY' "$(bare WEB_CONCURRENCY=5 -- -t -c "$DIR/c.rb" | directive worker_processes)" 5
echo 'worker_processes 2' >>"$DIR/c.rb"
is 'and the file before it' "$(bare WEB_CONCURRENCY=5 -- -t -c "$DIR/c.rb" | directive worker_processes)" 2
mkdir "$DIR/empty/config"
{ echo "$APP" && echo 'worker_processes 4'; } >"$DIR/empty/config/reforkd.rb"
is 'without -c: config/reforkd.rb' "$(bare -- -t | directive worker_processes)" 4

# A taken port
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0");
	open $f, ">", "$ENV{DIR}/port.new"; print $f $s->sockport; close $f;
	rename "$ENV{DIR}/port.new", "$ENV{DIR}/port"; $SIG{ALRM} = sub { exit }; alarm 60; 1 while sleep 60' &
holder=$!
until_true [ -e "$DIR/port" ]
{ echo "$APP" && echo "listen 'localhost:$(cat "$DIR/port")', tries: 1, delay: 0.01" && echo "pid '$DIR/pid'"; } >"$DIR/c.rb"
nok 'a taken port' bare -- -c "$DIR/c.rb"
ok 'is named last, with its line' sh -c "tail -n 1 '$DIR/out' | grep -E '^reforkd: $DIR/c.rb:[23]: listen \"127.0.0.1:$(cat "$DIR/port")\": .*in use .stop what listens there'"
is 'after one try' "$(grep -c retrying "$DIR/out")" 0
ok 'no pid file is left' [ ! -e "$DIR/pid" ]
ok '-t does not mind' bare -- -t -c "$DIR/c.rb"
sed -i 's/tries: 1/tries: 3/' "$DIR/c.rb"
nok 'three tries' bare -- -c "$DIR/c.rb"
is 'are three' "$(grep -c 'retrying in 0.0 seconds' "$DIR/out")" 2
ok 'each with its line' grep -q "$DIR/c.rb:[23]: adding listener failed addr=127.0.0.1" "$DIR/out"
kill $holder

# RACK_ENV
{ echo "$APP" && echo "listen '$SOCK' # ENV SOCK"; } >"$DIR/c.rb"
unset RACK_ENV
for want in development staging production; do
	: >"$LOG"
	case $want in
	staging) RACK_ENV=staging && export RACK_ENV && spawn "$DIR/c.rb" ;;
	production) spawn "$DIR/c.rb" -E production ;;
	*) spawn "$DIR/c.rb" ;;
	esac
	until_true ready_or_dead
	is "RACK_ENV is $want" "$(get /)" "$want"
	ok 'stops' stop
done
finish
