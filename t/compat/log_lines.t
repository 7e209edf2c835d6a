#!/bin/sh
# What people grep for and alert on: the same life of unicorn, pitchfork and of
# reforkd in their place, and no line of theirs is missing in ours. Numbers of
# processes and workers aside; ours has more lines, and other backtraces.
. "$(dirname "$0")/lib.sh"
need_peer unicorn
PEER_GEMS=t/gems/pitchfork
need_peer pitchfork
export RACK_ENV=none
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  raise "broken \x01" if env["PATH_INFO"] == "/raise"
  exit!(3) if env["PATH_INFO"] == "/exit"
  [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]]
}
END
echo 'worker_processes 2' >"$DIR/u.rb"
asks() { curl -s --max-time 15 -o "$DIR/answer" --unix-socket "$sock" "http://localhost$1"; }
says() { [ "$(grep -Ec -- "$1" "$log")" -ge "$2" ]; } # ERE TIMES
step() { # ERE TIMES CMD...
	step_ere=$1 step_times=$2
	shift 2
	"$@"
	until_true says "$step_ere" "$step_times" || { cat "$log"; return 1; }
}
usr1() { # an idle worker of theirs may sleep over it
	kill -USR1 "$1" && until_true says 'master done reopening logs' 1 && asks / && asks / && asks /
}
unicorn_life() { # PID
	step 'worker=[01] ready' 2 : &&
	step 'app error' 1 asks /raise &&
	step 'worker=2 ready' 1 kill -TTIN "$1" &&
	step 'reaped .* worker=2' 1 kill -TTOU "$1" &&
	step 'reaped .*exit 3. worker' 1 asks /exit &&
	step 'worker=[01] ready' 3 : &&
	step 'worker=[01] done reopening logs' 1 usr1 "$1" &&
	step 'reaped .*exit 0> worker=[01]' 2 kill -HUP "$1" &&
	step 'worker=[01] ready' 5 : &&
	step 'reaped .*exit 0> worker=[01]' 4 kill -WINCH "$1" &&
	step 'master complete' 1 kill -QUIT "$1"
}
pitchfork_life() { # PID
	step 'worker=[01] .*ready' 2 : &&
	step 'app error' 1 asks /raise &&
	step 'worker=2 .*ready' 1 kill -TTIN "$1" &&
	step 'worker=2 .*reaped' 1 kill -TTOU "$1" &&
	step 'reaped .*exit 3' 1 asks /exit &&
	step 'worker=[01] gen=0 .*ready' 3 : &&
	step 'worker=[01] gen=0 .*reaped .*exit 0' 2 kill -USR2 "$1" &&
	step 'worker=[01] gen=1 .*ready' 2 : &&
	step 'monitor complete status=0' 1 kill -TERM "$1"
}
plainly() { # LOG
	perl -ne 'next unless s/^[A-Z], \[[^\]]*\] +(\w+) -- (?=\[|:)/$1 -- /;
		s/((?:pid|PID)[ =:])\d+/$1N/g; s/worker=\d+/worker=N/g; s/fd=\d+/fd=N/g;
		s/\S*(?:http|peer)\.sock/SOCK/g; print unless $seen{$_}++' "$1"
}
compare() { # FAMILY
	plainly "$PEER_LOG" | grep -Ev ' -- (\[Pitchfork\])?: (/|.*\.rb:[0-9]+:)' >"$DIR/theirs"
	plainly "$LOG" >"$DIR/ours"
	ok "$1: theirs are some" [ "$(wc -l <"$DIR/theirs")" -ge 15 ]
	while read -r line; do
		ok "$1: $line" has "$line"
	done <"$DIR/theirs"
}
has() { # LINE: that head, and that text somewhere behind it
	LINE=$1 perl -ne 'BEGIN { ($head, $text) = $ENV{LINE} =~ /^(.*? -- [^:]*:) (.*)/ }
		$found = 1 if index($_, $head) == 0 && index($_, $text) > 0; END { exit !$found }' "$DIR/ours"
}
for family in unicorn pitchfork; do
	PEER_GEMS=t/gems/$family
	: >"$LOG"
	ok "$family: theirs" peer "$family" "$DIR/u.rb" "$DIR/config.ru"
	sock=$PEER_SOCK log=$PEER_LOG
	ok "$family: lives and ends" "${family}_life" "$PEER"
	until_true gone "$PEER"
	with_bundle "$PEER_GEMS"
	as "$family" "$DIR/u.rb" "$DIR/config.ru"
	sock=$SOCK log=$LOG
	ok "$family: so does ours" "${family}_life" "$MASTER"
	until_true gone "$MASTER"
	MASTER=
	compare "$family"
done
finish
