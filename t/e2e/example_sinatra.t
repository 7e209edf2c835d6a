#!/bin/sh
# examples/sinatra on Rack 2.2: sessions, forms, uploads, streams and files, in
# each of three generations.
. "$(dirname "$0")/lib.sh"

export PORT=0 # the kernel chooses
REFORKD=$DIR/start
printf '#!/bin/sh\nexec "%s/examples/start" sinatra "$@"\n' "$ROOT" >"$REFORKD"
chmod +x "$REFORKD"
start "$ROOT/examples/sinatra/app.conf"

visit() { # PATH [CURL'S OPTIONS...]; with cookies, as a browser
	path=$1
	shift
	curl -sS --max-time 15 --unix-socket "$SOCK" -b "$DIR/jar" -c "$DIR/jar" \
		"$@" "http://localhost$path"
}
status() { visit "$@" -o /dev/null -w '%{http_code}'; }
visits() { visit / | sed -n 's/.*You were here \([0-9]*\) times.*/\1/p'; }

head -c 300000 /dev/urandom >"$DIR/upload"
digest=$(sha256sum "$DIR/upload" | cut -d' ' -f1)
seq 1 3000 >"$DIR/count"

drive() { # GENERATION
	before=$(visits)
	like "gen $1: a page" "$(visit /hello/Ada)" '<h1>Hello Ada</h1>'
	like "gen $1: escapes" "$(visit /hello/%3Cb%3E)" '<h1>Hello &lt;b&gt;</h1>'
	is "gen $1: the session goes on" "$(visits)" $((before + 3))
	is "gen $1: an upload" "$(visit /upload -F "file=@$DIR/upload;filename=a b")" "$digest  a b"
	is "gen $1: no upload" "$(status /upload -F other=1)" 400
	is "gen $1: JSON" "$(visit /sum -d '[1, 2, 3]')" '{"sum":6}'
	is "gen $1: JSON of the wrong kind" "$(visit /sum -d '{}' -w '%{http_code}')" 'Only numbers can be added.
422'
	is "gen $1: no JSON" "$(visit /sum -d '[1' -w '%{http_code}')" 'This is not JSON.
400'
	visit /count/3000 >"$DIR/said.count"
	ok "gen $1: a streamed answer" cmp "$DIR/said.count" "$DIR/count"
	visit /source >"$DIR/said.source"
	ok "gen $1: a file" cmp "$DIR/said.source" "$ROOT/examples/sinatra/app.rb"
	is "gen $1: a part of it" "$(visit /source -r 0-16 -w ' %{http_code}')" 'require "digest"
 206'
	is "gen $1: HEAD" "$(visit /source -I -o /dev/null -w '%{http_code} %{size_download}')" '200 0'
	is "gen $1: not found" "$(status /nowhere)" 404
}
drive 0
is 'sixty on one connection' "$(curl -sS --unix-socket "$SOCK" "http://localhost/up?[1-60]" | sort | uniq -c | xargs)" '60 up'
await 'are enough for a refork' generation 1 2
drive 1
ok 'one by reforkctl' ctl refork
await 'the old ones have drained' generation 2 2
drive 2
pids=$(workers | xargs | sed 's/ /|/')
like 'a worker answers' "$(visit /pid)" "\"pid\":($pids),"
nok 'nothing was complained about' logged ' (ERROR|FATAL) -- '
finish
