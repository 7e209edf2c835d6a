#!/bin/sh
# A21. Embedded `#\ -p -o -E -D`, -N ignored there; .rb apps; default middleware
# per RACK_ENV; -E precedence over env.
# A22. -h <= 24x80, -v, -P, -s behave; unicorn_rails RAILS_ENV/tmp dirs.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
for name in unicorn unicorn_rails pitchfork reforkd; do
	ok "$name -h" run_as $name -h
	is 'says nothing on stderr' "$(cat "$DIR/err")" ''
	ok '24 lines of 80 columns' perl -ne 'chomp; exit 1 if length > 80; END { exit($. > 24) }' "$DIR/out"
	ok "$name -v" run_as $name -v
	is 'is one line' "$(wc -l <"$DIR/out")" 1
done
run_as unicorn -v
like 'unicorn -v' "$(cat "$DIR/out")" '^unicorn v6\.1\.0'
run_as pitchfork --version
like 'pitchfork -v' "$(cat "$DIR/out")" '^pitchfork v0\.18\.2 \(based on Unicorn v6\.1\.0'
nok 'an unknown option' run_as unicorn --frobnicate
ok 'is on stderr' [ -s "$DIR/err" ]

app='run ->(env) { [200, { "content-type" => "text/plain" }, ["#{ENV["RACK_ENV"]} #{ENV["RAILS_ENV"]} #{ENV["RAILS_RELATIVE_URL_ROOT"]}\n"]] }'
echo "$app" >"$DIR/config.ru"
: >"$DIR/u.rb"
begin() { # NAME ARGS
	: >"$LOG"
	begin_name=$1
	shift
	background "$DIR/bin/$begin_name" "$@"
	MASTER=$!
	until_true ready_or_dead
	ok "starts: $begin_name $*" serving
}
begin unicorn -l "$SOCK" -P "$DIR/pid" -s thin
is '-P is honoured' "$(cat "$DIR/pid")" "$MASTER"
is 'and discouraged' "$(grep -c 'pid/-P is strongly discouraged\|Use the .pid. directive in the Unicorn config file instead' "$LOG")" 2
ok '-s is ignored' logged '^-s/--server only exists for compatibility with rackup'
is 'RACK_ENV is development' "$(get /)" 'development  '
ok 'stops' stop QUIT
RACK_ENV=staging begin unicorn -l "$SOCK" -E production
is '-E is before the environment' "$(get /)" 'production  '
ok 'stops' stop QUIT

# unicorn_rails
begin unicorn_rails -l "$SOCK" -E production --path /shop
is 'RAILS_ENV, RAILS_RELATIVE_URL_ROOT' "$(get /)" ' production /shop'
is 'makes the folders' "$(cd "$DIR/tmp" && echo *)" 'cache pids sessions sockets'
ok 'stops' stop QUIT
begin unicorn_rails -l "$SOCK" -P /path
is '-P is a path there' "$(get /)" ' development /path'
ok 'stops' stop QUIT
ok 'unicorn_rails -D' run_as unicorn_rails -D -l "$SOCK"
MASTER=$(cat "$DIR/tmp/pids/unicorn.pid")
ok 'has a pid file by default' alive "$MASTER"
ok 'stops' stop QUIT

# Embedded
port=$(free_port)
{ echo "#\\ -N -E deployment -p $port --host=127.0.0.1" && echo "$app"; } >"$DIR/config.ru"
begin unicorn
like 'embedded: -p, -o and -E' "$(curl -sS -i --max-time 15 "http://127.0.0.1:$port/")" '^deployment'
ok '-N is ignored there: CommonLogger' until_true logged '"GET / HTTP/1.1" 200'
ok 'stops' stop QUIT
begin unicorn -N
curl -sS --max-time 15 "http://127.0.0.1:$port/" >/dev/null
ok 'stops' stop QUIT
nok 'here it is not: no CommonLogger' logged '"GET / HTTP/1.1" 200'
{ echo '#\ --frobnicate' && echo "$app"; } >"$DIR/config.ru"
nok 'an embedded option that is none' run_as unicorn -l "$SOCK"
ok 'is named' grep -q 'config.ru: invalid option: --frobnicate' "$DIR/err"

# Middleware, by what it does: Lint complains, ContentLength and CommonLogger.
echo 'run ->(env) { [200, { "Content-Type" => "text/plain" }, ["x\n"]] }' >"$DIR/config.ru"
for env in development:500:1 deployment:200:1 production:200:0 none:200:0; do
	rest=${env#*:}
	begin unicorn -l "$SOCK" -E "${env%%:*}"
	is "${env%%:*}: Lint" "$(code /)" "${rest%:*}"
	ok 'stops' stop QUIT
	is 'CommonLogger' "$(grep -c '"GET / HTTP/1.1"' "$LOG")" "${rest#*:}"
done
begin pitchfork -l "$SOCK" -E production
like 'pitchfork: ContentLength always' "$(curl -sS -i --max-time 15 --unix-socket "$SOCK" http://localhost/)" '[Cc]ontent-[Ll]ength: 2'
ok 'stops' stop QUIT

# A Ruby file
echo 'Fooapp = ->(env) { [200, { "content-type" => "text/plain" }, ["foo\n"]] }' >"$DIR/fooapp.rb"
begin unicorn -l "$SOCK" -I. fooapp.rb
is 'fooapp.rb defines Fooapp' "$(get /)" foo
ok 'stops' stop QUIT

# Installed
if [ -w "${TMPDIR:-/tmp}" ]; then
	ok 'make install' sh -c "make -s -C '$ROOT' B='$B' DESTDIR='$DIR/root' PREFIX=/usr install </dev/null"
	for name in unicorn unicorn_rails pitchfork; do
		ok "$name is a link" [ "$(readlink -f "$DIR/root/usr/lib/reforkd/bin/$name")" = "$DIR/root/usr/bin/reforkd" ]
	done
	echo "$app" >"$DIR/config.ru"
	: >"$LOG"
	background "$DIR/root/usr/lib/reforkd/bin/unicorn" -l "$SOCK" -E none
	MASTER=$!
	until_true ready_or_dead
	is 'and starts from there' "$(get /)" 'none  '
	ok 'stops' stop QUIT
fi
finish
