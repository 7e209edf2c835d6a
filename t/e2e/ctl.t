#!/bin/sh
# reforkctl finds a master and does what it was asked, or says why not; what is
# not reforkctl is answered or dropped, and the master goes on.
. "$(dirname "$0")/lib.sh"
conf <<'END'
worker_processes 2
timeout 5
rack { |env| [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]] }
END
start "$CONF"

json() { # PERL expression over $s
	"$REFORKCTL" -p "$MASTER" status --json |
		perl -MJSON::PP -e 'my $s = decode_json(join "", <STDIN>); print eval $ARGV[0], "\n"' -- "$1"
}
fails() { # STATUS CMD...
	fails_want=$1
	shift
	"$@"
	[ $? -eq "$fails_want" ]
}
slots() { json 'scalar @{$s->{pools}[0]{slots}}'; }
has_slots() { [ "$(slots)" = "$1" ] && [ "$(json '$s->{pools}[0]{serving}')" = "$1" ]; }
# Sends its input as it is and prints the answer: not reforkctl.
raw() {
	perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new($ARGV[0]) or die "$!\n";
		local ($SIG{PIPE}, $/) = "IGNORE"; print $s scalar <STDIN>; $s->flush; $s->shutdown(1);
		print scalar <$s>' "$SOCKET"
}

# Finding it
SOCKET=$(json '$s->{master}{control}')
is 'the socket is its owner'\''s alone' "$(stat -c %a "$SOCKET")" 600
is 'and so is its directory' "$(stat -c %a "${SOCKET%/*}")" 700
like 'lists the masters' "$("$REFORKCTL")" "^ *$MASTER .*SERVING.*$CONF"
like 'by its file' "$(ctl version)" '^reforkd [0-9]'
like 'by its pid' "$("$REFORKCTL" -p "$MASTER" version)" '^reforkd [0-9]'
like 'by its socket' "$("$REFORKCTL" -s "$SOCKET" version)" '^reforkd [0-9]'
ok 'says that there is none' fails 3 "$REFORKCTL" -s "$DIR/none" status
ok 'a process that is no master' fails 3 "$REFORKCTL" -p $$ status
ok 'wrong usage' fails 2 "$REFORKCTL" -c "$CONF" frobnicate

# Asking
like 'a table for people' "$(ctl status)" 'SERVING'
is 'as many slots as workers' "$(slots)" 2
ok 'PSS is known' [ "$(json '$s->{pools}[0]{slots}[0]{pss_kb}')" -gt 0 ]
is 'pids are those of the tree' "$(ctl pids | cut -d' ' -f1 | sort)" "$(pids . | sort)"
ok 'one worker more' ctl scale +1
await 'serves' has_slots 3
ok 'one less' ctl scale -1
await 'leaves' has_slots 2
nok 'too many are refused' ctl scale 513
ok 'refork waits' ctl refork
await 'and all are of generation 1' generation 1 2
like 'the last refork has a reason' "$(json '$s->{pools}[0]{last_refork}')" .
ok 'a slot that exists is promoted' ctl refork 0
nok 'one that does not is refused' ctl refork 9
ok 'reload waits too' ctl reload
is 'a new generation by boot' "$(json '$s->{pools}[0]{molds}[0]{by}')" boot
kill -KILL "$(worker 1)"
await 'is counted' has_slots 2
await 'deaths name the cause' matches "$(ctl deaths)" 'SIGKILL'
ok 'no-wait returns at once' ctl refork --no-wait
await 'and it happens' generation 4 2
ok 'reopens' ctl reopen

# Hostile clients
like 'an unknown verb' "$(echo frob | raw)" '^end 1 unknown verb frob \(known:.*refork'
like 'a zero byte' "$(printf 'stop\0now\n' | raw)" '^end 1 '
like 'no line at all' "$(head -c 9000 /dev/zero | tr '\0' x | raw 2>&1)" '^$|too long|Connection|Broken'
ok 'many at once' perl -MIO::Socket::UNIX -e '$SIG{PIPE} = "IGNORE";
	for (1 .. 300) { push @s, my $s = IO::Socket::UNIX->new($ARGV[0]) or next; print $s "status\n" x 50; $s->flush }' "$SOCKET"
await 'it still answers' ctl version
ok 'and serves' body / '^pid'
remember
ok 'stops' ctl stop
await 'and all have gone' all_gone
ok 'without its socket' [ ! -e "$SOCKET" ]
MASTER=
finish
