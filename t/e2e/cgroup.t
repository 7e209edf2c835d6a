#!/bin/sh
# memory_budget as a share of the cgroup's limit, of version 2 and 1, and what
# the kernel says of want of memory: in a mount namespace, where the files of a
# cgroup are ours.
. "$(dirname "$0")/lib.sh"
command -v unshare >/dev/null && unshare -m true 2>/dev/null && [ -d /sys/fs/cgroup ] ||
	skip_all 'no mount namespace here (root only)'
grep -q '^0::' /proc/self/cgroup || skip_all 'no cgroup of version 2 in /proc/self/cgroup'
cat >"$DIR/inside" <<END
#!/bin/sh
exec unshare -m sh -c 'mount --bind "$DIR/sys" /sys/fs/cgroup && exec "$REFORKD" "\$@"' sh "\$@"
END
chmod +x "$DIR/inside"
REFORKD=$DIR/inside
put() { # FILE TEXT: as the kernel shows it, never half of it
	mkdir -p "$DIR/sys/${1%/*}" && printf '%s\n' "$2" >"$DIR/sys/$1.new" && mv "$DIR/sys/$1.new" "$DIR/sys/$1"
}
events() { put ./memory.events "low 0
high $1
max $2
oom $3
oom_kill $3"; }
budget() { ctl status --json | sed -n 's/.*"budget_kb": \([0-9]*\).*/\1/p'; }
looked() { # by then it has seen the sum of what they hold
	ctl status --json | perl -MJSON::PP -0777 -ne 'exit !(decode_json($_)->{pools}[0]{pss_kb} > 0)'
}
conf <<'CONF'
worker_processes 2
memory_budget "50%"
refork false
rack { |env| [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]] }
CONF

# Version 2: memory.max, or memory.high when that is lower
put ./memory.stat 'anon 0'
put ./memory.max $((1600 << 20))
put ./memory.high $((800 << 20))
put ./memory.pressure 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0'
events 0 0 0
start "$CONF"
ok 'the lower limit is what there is' logged "memory budget: 400 MB, 50 % of the cgroup's limit"
is 'status has it' "$(budget)" $((400 << 10))
ok 'serves' body / '^pid'
nok 'nothing is short' logged 'memory is short'
await 'the master has looked once' looked
put ./memory.pressure 'some avg10=61.50 avg60=0.00 avg300=0.00 total=0'
events 7 0 2
await 'memory.events and pressure are noticed' logged 'memory is short: cgroup high 0 -> 7, max 0 -> 0, pressure 61.5 % over 10 s'
await 'and the workers collect' logged 'worker=[01] collected and trimmed in [0-9]+ ms' 2
ok 'who was ended by the kernel is counted' logged 'the kernel has ended 2 processes of this cgroup'
ok 'serves on' body / '^pid'
ok 'stops' stop

# Version 1
if grep -q '^[0-9]*:\([a-z,]*,\)\{0,1\}memory[,:]' /proc/self/cgroup; then
	: >"$LOG"
	rm -rf "$DIR/pids" "$DIR/sys"
	put memory/memory.limit_in_bytes $((600 << 20))
	start "$CONF"
	ok 'version 1 has one limit' logged "memory budget: 300 MB, 50 % of the cgroup's limit"
	is 'status has it' "$(budget)" $((300 << 10))
	ok 'serves' body / '^pid'
fi
finish
