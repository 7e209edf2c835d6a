#!/bin/sh
# `reforkctl restart` to a program that speaks another protocol with molds and
# workers: the old ones serve until the new ones do, and no request is lost.
AWAIT=${AWAIT:-30}
. "$(dirname "$0")/lib.sh"
READY='master process ready'
mkdir "$DIR/own"
REFORKD=$DIR/own/reforkd
program() { # FOLDER: is on disk from now on
	for program_name in reforkd reforkd-mold; do
		cp "$1/$program_name" "$DIR/own/new" && mv "$DIR/own/new" "$DIR/own/$program_name"
	done
}
program "$B"
IDLOG=$ROOT/t/apps/idlog.ru
export IDLOG
cat >"$DIR/app.ru" <<'END'
raise "no such table" if File.exist?("#{ENV["RFK_TEST"]}/broken")
eval File.read(ENV["IDLOG"]), binding, ENV["IDLOG"]
map("/slow") { run ->(env) { File.write("#{ENV["RFK_TEST"]}/slow", ""); sleep 0.01 until File.exist?("#{ENV["RFK_TEST"]}/go"); [200, {}, ["done\n"]] } }
END
conf <<CONF
worker_processes 2
refork_after false
timeout 20
pid "$DIR/master.pid"
rack "$DIR/app.ru"
pool(:more) { processes 1; listen "$DIR/more.sock"; rack { ->(env) { [200, {}, ["#{Process.pid}\n"]] } } }
CONF
descriptors() { ls "/proc/$MASTER/fd" | wc -l; }
more() { SOCK=$DIR/more.sock get /; }
before() { remember && mv "$DIR/pids" "$DIR/before" && were=$(workers) && first=$(more); }
all_left() { # of before, but for the master
	grep -v "^$MASTER " "$DIR/before" >"$DIR/pids"
	all_gone
	all_left_rc=$?
	rm "$DIR/pids"
	return $all_left_rc
}

with_bundle t/gems/rack3
start "$CONF"
before
had=$(descriptors)
ok 'the load runs' load_start -c 4 -t 60 --think 10
program "$B/other"
ok 'a restart under load' ctl restart
await 'those of the program before go' logged 'nobody of the program before is left'
ok 'no request has failed' load_stop
ok 'the old ones have ended' all_left
is 'the same pid' "$(cat "$DIR/master.pid") $(ctl pids | sed -n 's/ master.*//p')" "$MASTER $MASTER"
ok 'it was another protocol' logged "#$MASTER\].*restarted in place: 5 processes of the program before"
is 'as many as before' "$(workers | wc -l)" "$(echo "$were" | wc -l)"
unlike 'the other pool, too' "$(more)" "^$first$"
await 'no descriptor is left over' eval '[ "$(descriptors)" -le "$had" ]'
nok 'nobody was killed' logged 'killing|SIGKILL|FATAL'

# An application that does not boot, and is mended
before
program "$B"
touch "$DIR/broken"
ctl restart >"$DIR/refused" 2>&1
is 'the application does not boot: exit 1' $? 1
like 'says why' "$(cat "$DIR/refused")" 'failed to boot: .*no such table.*tried again, 5 processes of the program before go on'
like 'the old ones serve' "$(get /id/1)" .
is 'the other pool, too' "$(more)" "$first"
is 'nobody else does' "$(workers)" "$were"
nok 'no other restart now' ctl restart
like 'and it says so' "$(ctl restart 2>&1)" 'processes of the program before are still there'
rm "$DIR/broken"
ctl reload >/dev/null 2>&1 # or it has begun to try by itself
await 'mended, it takes over' logged 'nobody of the program before is left' 2
ok 'and the old ones have ended' all_left

# TERM in the middle
program "$B/other"
touch "$DIR/broken"
nok 'once more an application that does not boot' ctl restart
get /slow >"$DIR/answer" &
client=$!
await 'a request is under way' [ -e "$DIR/slow" ]
remember
kill -TERM "$MASTER"
await 'TERM' logged 'SIGTERM'
touch "$DIR/go"
wait $client
is 'it is answered' "$(cat "$DIR/answer")" done
await 'the master ends' gone "$MASTER"
MASTER=
await 'and all of them' all_gone
nok 'nothing was out of order' logged 'no row for|breaks? the protocol|FATAL|SIGQUIT|will be reset'
finish
