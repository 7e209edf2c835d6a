#!/bin/sh
# examples/hello, started as its README says, over TCP and through two reforks.
. "$(dirname "$0")/lib.sh"

# A port the kernel chose; nobody is likely to get it in the next moment.
PORT=$(free_port)
export PORT
at=http://127.0.0.1:$PORT
REFORKD=$DIR/start
printf '#!/bin/sh\nexec "%s/examples/start" hello "$@"\n' "$ROOT" >"$REFORKD"
chmod +x "$REFORKD"
start "$ROOT/examples/hello/app.conf"
ok 'both workers are of generation 0' generation 0 2
ok 'says where it is' logged "$at/"

hello='Hello from process [0-9]+ at'
answers() { # how many of the lines are the right ones
	curl -sS --max-time 30 "$at/$1" | grep -Ec "^$hello /$2\$"
}
like 'answers' "$(curl -sS "$at/anything")" "^$hello /anything\$"
like 'on the UNIX socket too' "$(get /a%20b)" "^$hello /a( |%20)b\$"

for n in 1 2; do
	is "a thousand answers on one connection, $n" "$(answers "n[1-1001]" 'n[0-9]+')" 1001
	await "and generation $n takes over" generation $n 2
	is "which answers" "$(answers "after[1-20]" 'after[0-9]+')" 20
done
ok 'reforkctl knows the same' matches "$(ctl status)" 'SERVING'
ok 'INT, which is Ctrl-C, ends it' stop INT
nok 'and nobody calls that a mishap' logged ' (WARN|ERROR) -- '
finish
