#!/bin/sh
# Pools for lease beside an application: each has its own mold, and what is
# wrong with one is no other's concern.
. "$(dirname "$0")/lib.sh"
AWAIT=60 # several molds and clients: a busy machine takes its time
conf <<'END'
timeout 5
listen ENV.fetch("SOCK")
rack { |env| [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]] }
pool :upper do
  spare 1
  max 3
  boot { :upcase }
  worker { |lease, state| $stdin.each_line { |line| puts line.public_send(state) } }
end
pool :greeting do
  spare 0
  worker { |lease| puts "hello #{lease[:name]}, gen #{lease.generation}" }
end
pool :broken do
  boot { raise "never" }
  worker { puts "never" }
end
END
start "$CONF"
lease() { ctl lease "$@"; }
upper() { [ "$(echo abc | lease "$@")" = ABC ]; }
said() { [ "$(lease "$1" --field name=you -- </dev/null)" = "$2" ]; }
code() { # STATUS, CODE of the refusal
	lease "$3" >"$DIR/refusal" 2>&1 </dev/null
	code_got=$?
	cat "$DIR/refusal"
	[ $code_got -eq "$1" ] && grep -q "($2)" "$DIR/refusal"
}

ok 'the application answers' body / '^pid'
await 'so does a pool, when it has booted' upper upper
ok 'the first pool, when none is named' upper
await 'without spares a lease is a fork' said greeting 'hello you, gen 0'

# The master does not change under sessions, and the session goes on.
mkfifo "$DIR/fifo"
ctl lease upper <"$DIR/fifo" >"$DIR/session" 2>&1 &
client=$!
exec 8>"$DIR/fifo"
echo before >&8
await 'a session' grep -qx BEFORE "$DIR/session"
ctl restart >"$DIR/refused" 2>&1
is 'reforkctl restart is refused' $? 1
like 'which says why, and what to do' "$(cat "$DIR/refused")" 'a pool is for lease, and sessions cannot be handed over: reload it instead'
echo after >&8
await 'the session has noticed nothing' grep -qx AFTER "$DIR/session"
ok 'the pool reloads, as it says' ctl reload upper
echo later >&8
await 'and the session goes on' grep -qx LATER "$DIR/session"
exec 8>&-
wait "$client"
is 'until it ends' $? 0
await 'a pool that does not boot says so' code 69 boot_failed broken
ok 'and an application is not for lease' code 69 no_pool default
ok 'a reload' ctl reload
await 'reaches the pools' said greeting 'hello you, gen 1'
ok 'they still work' upper upper
ok 'the application, too' body / '^pid'
finish
