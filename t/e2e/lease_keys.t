#!/bin/sh
# A pool with a key: a mold for each project, made when it is wanted, ended when
# it is not. What one key does is no other's concern.
. "$(dirname "$0")/lib.sh"
AWAIT=60 # several molds and clients: a busy machine takes its time
conf <<'END'
timeout 5
canary_time 0.05
listen ENV.fetch("SOCK")
rack { |env| [200, {}, ["app\n"]] }
pool :lsp do
  key :root, :lock
  spare 1
  max 4
  max_molds 2
  drain_timeout 1
  idle_timeout 600
  boot do |key|
    raise "boot of #{File.read("broken")}" if File.file?("broken")
    { pid: Process.pid, key: key, pwd: Dir.pwd }
  end
  worker do |lease, state|
    case ARGV[0]
    when "wait"
      puts "pid=#{Process.pid}"
      $stdout.flush
      sleep
    when "promote" then puts Reforkd.promote { state.merge(promoted: true) }
    else puts "mold=#{state[:pid]} promoted=#{state[:promoted]} pwd=#{state[:pwd]} root=#{state[:key][:root]} lock=#{state[:key][:lock]} cwd=#{Dir.pwd}"
    end
  end
end
END
for project in a b c; do mkdir -p "$DIR/$project/sub" && echo "$project" >"$DIR/$project/Gemfile.lock"; done
start "$CONF"

in_project() { # DIR ARGS...
	in_project_dir=$DIR/$1
	shift
	(cd "$in_project_dir" && exec "$REFORKCTL" -c "$CONF" lease lsp "$@" </dev/null)
}
about() { about=$(in_project "$@" 2>"$DIR/err") || cat "$DIR/err"; }
mold_of() { about "$1" && echo "$about" | sed -n 's/^mold=\([0-9]*\) .*/\1/p'; }
session() { # DIR
	: >"$DIR/out"
	(cd "$DIR/$1" && exec "$REFORKCTL" -c "$CONF" lease lsp -- wait >>"$DIR/out" 2>&1 </dev/null) &
	SESSION=$!
	until_true grep -q pid= "$DIR/out"
	WORKER_PID=$(sed -n 's/^pid=//p' "$DIR/out")
}
end_session() { kill -TERM "$SESSION" && { wait "$SESSION" 2>/dev/null || :; } && until_true gone "$WORKER_PID"; }
refused() { # CODE ERE DIR
	in_project "$3" >"$DIR/refusal" 2>&1
	refused_got=$?
	cat "$DIR/refusal"
	[ $refused_got -eq 69 ] && grep -q "($1)" "$DIR/refusal" && grep -Eq "$2" "$DIR/refusal"
}
keys() { ctl --json status | grep -c '"key":'; }
keys_are() { [ "$(keys)" -eq "$1" ]; }
key_gone() { ! ctl status | grep -q "root=$DIR/$1 "; }
spare_waits() { ctl status | grep -Eq '^pool lsp[.][0-9]+ .* 1 of 1 workers serve'; }

# A mold for each
await 'the pool has booted, and the key with it' in_project a
about a/sub
like 'boot ran in the root of the key' "$about" "pwd=$DIR/a root=$DIR/a"
like 'the worker is where its client is' "$about" "cwd=$DIR/a/sub\$"
A=$(mold_of a) B1=$(mold_of b)
is 'a key keeps its mold' "$(mold_of a/sub)" "$A"
is 'another key has another one' $((A != B1)) 1
status=$(ctl status)
like 'status names the keys' "$status" "^key +root=$DIR/a lock=[0-9a-f]{16}\$"
like 'and the pool that has them' "$status" '^pool lsp.1  lease'
like 'so does the title' "$(tree '^reforkd mold lsp.1 ')" "lsp.1 $DIR/a [0-9a-f]{16} gen 0: ready"
like 'as JSON' "$(ctl --json status)" "\"key\": \"root=$DIR/a lock="
is 'a client in Ruby asks for the same key' "$("${RUBY:-ruby}" -r "$ROOT/contrib/ruby/reforkd/client" -e '
	Reforkd::Client.open(config: ARGV[0]) { |client| print client.lease(pool: "lsp", cwd: ARGV[1], stderr: $stderr).stdout.read[/mold=(\d+)/, 1] }' "$CONF" "$DIR/a/sub")" "$A"
echo changed >>"$DIR/b/Gemfile.lock"
B2=$(mold_of b)
is 'another Gemfile.lock is another key' $((B1 != B2)) 1
await 'the least recently used mold has gone' gone "$B1"
await 'two are left' keys_are 2

# Room
session b
ok 'a second session of the key' in_project b
ok 'a new key takes the room of one without sessions' in_project a
await 'and no more than two live' keys_are 2
B_SESSION=$SESSION B_WORKER=$WORKER_PID
session a
ok 'with sessions everywhere there is none' refused limit 'end one, or raise max_molds in .*reforkd.conf.rb:9' c
end_session
await 'when one has ended there is' in_project c
ok 'the other one goes on' alive "$B_WORKER"
is 'with its mold' "$(mold_of b)" "$B2"
SESSION=$B_SESSION WORKER_PID=$B_WORKER
ok 'until it ends' end_session

# What is wrong
echo "the first project" >"$DIR/a/broken"
ok 'a key that does not boot says why' refused boot_failed 'pool lsp does not boot: .*boot of the first project' a
ok 'and is not tried at once again' refused boot_failed 'again in [0-9.]+s' a
ok 'others are as they were' in_project b
rm "$DIR/a/broken"
await 'when it can, it boots' in_project a
B2=$(mold_of b) # keys that do not boot go first, however many they are
for nowhere in 1 2 3; do ctl lease lsp --field root=/nowhere/$nowhere >/dev/null 2>&1; done
is 'keys that do not boot take no room from others' "$(mold_of b)" "$B2"
ok 'a root that is not there' sh -c "! '$REFORKCTL' -c '$CONF' lease lsp --field root=/nowhere 2>'$DIR/err' && grep -q 'cannot enter root=/nowhere.*(boot_failed)' '$DIR/err'"
"$REFORKCTL" -c "$CONF" lease lsp --field "root=$(printf '%01100d' 0)" >"$DIR/err" 2>&1
like 'a key that is too long' "$(cat "$DIR/err")" 'the key is too long: 1024 bytes.*\(protocol\)'
"$REFORKCTL" -c "$CONF" lease lsp.1 >"$DIR/err" 2>&1
like 'a key is not had by its number' "$(cat "$DIR/err")" '\(no_pool\)'

# As many as a client likes
LEASES=$(ls "$XDG_RUNTIME_DIR"/reforkd/*.lease)
await 'the spare worker that was leased has a successor' spare_waits
FDS=$(ls "/proc/$MASTER/fd" | wc -l)
ok 'a thousand keys, of clients in a hurry' timeout 60 "${RUBY:-ruby}" "$ROOT/t/e2e/lease_client.rb" "$LEASES" keys "$DIR/c"
rests() { [ "$(molds | wc -l)" -le 4 ] && [ "$(ls "/proc/$MASTER/fd" | wc -l)" -le "$FDS" ] && [ "$(keys)" -le 2 ]; }
await 'leave two at most' rests
await 'and the next one has its mold' in_project b

# Its own generations
in_project c -- promote >/dev/null 2>&1
promoted() { about c && matches "$about" 'promoted=true'; }
await 'a promotion is the mold of this key' promoted
about b
unlike 'and of no other' "$about" 'promoted=true'
nok 'a pool with a key has no workers of its own to refork' ctl refork lsp
like 'and says so' "$(ctl scale +1 lsp 2>&1)" 'name it as reforkctl status does'
NAME=$(ctl --json status | perl -0ne 'print $1 if m{"name": "(lsp\.\d+)"[^{}]*?"key": "root=$ENV{DIR}/b }')
ok 'a key has' ctl refork "$NAME"
molds_before=$(mold_of b)
ok 'a reload' ctl reload
renewed() { [ "$(mold_of b)" != "$molds_before" ]; }
await 'reaches the keys' renewed
sed 's/idle_timeout 600/idle_timeout 0.2/' "$CONF" >"$CONF.new" && mv "$CONF.new" "$CONF"
ok 'keys that nobody wants' ctl reload
await 'end after idle_timeout' keys_are 0
ok 'and come again' in_project b
finish
