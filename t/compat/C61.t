#!/bin/sh
# C61. What the kernel lacks, or a seccomp filter forbids, is one line at start:
# the call, the errno, the kernel needed; exit 1, and nothing is left. SEQPACKET is
# required, too. EPOLLEXCLUSIVE and PIDFD_GET_INFO have fallbacks.
. "$(dirname "$0")/lib.sh"
DENY=${DENY:-$B/deny}
[ -x "$DENY" ] || skip_all 'no build/deny: make compat'
"$DENY" seqpacket=EPERM -- true || skip_all 'no seccomp filter can be set here'
with_bundle t/gems/rack3
conf <<CONF
worker_processes 2
refork_after false
pid "$DIR/master.pid"
rack "$ROOT/t/apps/idlog.ru"
CONF

# Started to its end: one line, status 1, no file, nobody.
denied() { # DENIAL LINE [ARGS]
	denied_what=$1 denied_line=$2
	shift 2
	(cd "$DIR" && exec timeout 20 "$DENY" "$denied_what" -- "$REFORKD" -c "$CONF" -l "$SOCK" "$@") \
		>"$DIR/out" 2>"$DIR/err" </dev/null
	is "$denied_what $*: exit 1" $? 1
	is 'one line' "$(wc -l <"$DIR/err")" 1
	like 'call, errno and kernel' "$(cat "$DIR/err")" \
		"^reforkd: $denied_line [(].*[)]: Linux [0-9.]+ or later is needed, and a seccomp filter that allows it; this is Linux [0-9]"
	is 'nothing is left' "$(ls -A "$DIR/run" "$DIR"/*.sock "$DIR"/*.pid 2>/dev/null | grep -v :; strays)" ''
}
denied pidfd_open=ENOSYS 'pidfd_open: ENOSYS'
denied pidfd_open=EPERM 'pidfd_open: EPERM' -D
denied pidfd_send_signal=EPERM 'pidfd_send_signal: EPERM'
denied waitid_pidfd=EINVAL 'waitid[(]P_PIDFD[)]: EINVAL'
denied subreaper=EINVAL 'prctl[(]PR_SET_CHILD_SUBREAPER[)]: EINVAL'
denied memfd_create=ENOSYS 'memfd_create: ENOSYS' -D
denied seqpacket=EPERM 'socketpair[(]AF_UNIX, SOCK_SEQPACKET[)]: EPERM'
denied signalfd=ENOSYS 'signalfd: ENOSYS'

# A filter that only the mold is under: the master says the same.
mkdir "$DIR/own"
cp "$REFORKD" "$DIR/own/reforkd"
printf '#!/bin/sh\nexec "%s" pidfd_open=EPERM -- "%s" "$@"\n' "$DENY" "$B/reforkd-mold" >"$DIR/own/reforkd-mold"
chmod +x "$DIR/own/reforkd-mold"
(cd "$DIR" && exec timeout 20 own/reforkd -c "$CONF" -l "$SOCK") >"$DIR/out" 2>"$DIR/err" </dev/null
is 'in the mold: exit 1' $? 1
is 'once' "$(grep -c 'pidfd_open: EPERM (Operation not permitted): Linux 5.3 or later is needed' "$DIR/err")" 1
is 'nothing is left' "$(ls -A "$DIR"/*.sock "$DIR"/*.pid 2>/dev/null; strays)" ''

# Fallbacks: each worker in the set of the others' listener, awake with them.
exclusive() { # workers whose epoll set holds a listener with that flag
	for exclusive_pid in $(workers); do
		cat /proc/"$exclusive_pid"/fdinfo/* 2>/dev/null | grep -Eq '^tfd: .*events: *1000001[19d]' && echo "$exclusive_pid"
	done
}
READY='master process ready'
start "$CONF"
is 'EPOLLEXCLUSIVE where there is one' "$(exclusive | wc -l)" 2
stop
: >"$LOG"
printf '#!/bin/sh\nexec "%s" pidfd_get_info=EPERM -- "%s" "$@"\n' "$DENY" "$REFORKD" >"$DIR/denied"
chmod +x "$DIR/denied"
REFORKD=$DIR/denied REFORKD_FAULT=epollexclusive
export REFORKD_FAULT
start "$CONF"
is 'and none where there is not' "$(exclusive | wc -l)" 0
ok 'they serve' load_start -c 4 -n 2000
ok 'and nothing is lost' load_wait
# A worker's death is known to its mold, which tells the master.
kill -KILL "$(worker 1)"
await 'without PIDFD_GET_INFO its status is known' logged 'worker=1 .*SIGKILL'
await 'and it is replaced' count 2 workers
finish
