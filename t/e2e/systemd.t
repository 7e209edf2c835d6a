#!/bin/sh
# The units of contrib/systemd in a systemd of the test's own: it boots in a
# container over this machine's files, starts reforkd by its socket and talks to
# it. Skipped where no such container can be.
. "$(dirname "$0")/lib.sh"
nspawn=$(command -v systemd-nspawn) || skip_all 'no systemd-nspawn (systemd-container)'
[ "$(id -u)" = 0 ] || skip_all 'a container takes root'
in_container() { # ARGS of systemd-nspawn; all mounts go with it
	unshare -m --propagation private sh -c '
		mount -t tmpfs none "$DIR/o" && mkdir "$DIR/o/up" "$DIR/o/work" &&
		mount -t overlay none -o "lowerdir=/,upperdir=$DIR/o/up,workdir=$DIR/o/work" "$DIR/tree" || exit 99
		cp -r "$DIR/units/." "$DIR/tree/etc/systemd/system" &&
		exec timeout -k 5 120 "$0" -q -D "$DIR/tree" --register=no --keep-unit --console=pipe \
			--bind-ro="$ROOT" --bind-ro="$B" --bind="$DIR/share:/share" "$@"' "$nspawn" "$@"
}
mkdir "$DIR/o" "$DIR/tree" "$DIR/share" "$DIR/units"
for unit in "$ROOT"/contrib/systemd/*; do
	sed "s|/usr/local/bin|$B|; s|/srv/[a-z%]*|/share|; s|config/reforkd.rb|/share/app.rb|" "$unit" >"$DIR/units/${unit##*/}"
done
quick() { # UNIT: without what a machine boots for; the rest from stdin
	mkdir -p "$DIR/units/$1.d"
	{ printf '[Unit]\nDefaultDependencies=no\n'; cat; } >"$DIR/units/$1.d/test.conf"
}
quick reforkd.service <<END
[Service]
WatchdogSec=4
RestartSec=0
TimeoutStartSec=2500ms
LimitCORE=0
END
quick reforkd.socket <<END
[Socket]
ListenStream=
ListenStream=/share/web.sock
END
cat >"$DIR/units/test.service" <<END
[Unit]
DefaultDependencies=no
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
Type=oneshot
ExecStart=/bin/sh /share/script
END
# As long as TimeoutStartSec to load, if nobody asked for more.
cat >"$DIR/share/app.rb" <<'END'
worker_processes 2
canary_time 0.1
refork_after false
stderr_path "/share/reforkd.log"
sleep 3.5 if File.exist?("/share/slow")
raise "broken" if File.exist?("/share/broken")
rack { |env| [200, {}, ["#{Process.pid} #{ENV.keys.grep(/NOTIFY|LISTEN|WATCHDOG/)}\n"]] }
END
cat >"$DIR/share/script" <<'END'
exec >/share/said 2>&1
say() { echo "$1: $(shift; "$@" 2>&1 | tr '\n' ' ')"; }
show() { systemctl show reforkd -P "$1"; }
until_is() { # PROPERTY VALUE, 15 s
	n=0
	until [ "$(show "$1")" = "$2" ] || [ $n = 150 ]; do n=$((n + 1)) && sleep 0.1; done
	show "$1"
}
get() { curl -sS --max-time 15 --unix-socket /share/web.sock http://localhost/; }
cd /share
touch slow
systemctl start reforkd.socket
say 'a request starts it' get
rm slow
say state until_is ActiveState active
say status until_is StatusText '2 of 2 workers, generation 0'
main=$(show MainPID)
say main tr '\0' ' ' <"/proc/$main/cmdline"
say reload sh -c 'systemctl reload reforkd; echo $?'
say 'new status' show StatusText
say 'same pid' sh -c "[ $main = $(show MainPID) ] && echo yes"
touch broken
say 'broken reload' sh -c 'systemctl reload reforkd; echo $?'
say 'still' show ActiveState
say 'still serves' get
rm broken
kill -STOP "$main"
say 'watchdog' until_is NRestarts 1
say 'again' until_is ActiveState active
say 'again serves' get
say stop sh -c 'systemctl stop reforkd; echo $?'
say result show Result
say left sh -c 'cat /sys/fs/cgroup/*/system.slice/reforkd.service/cgroup.procs 2>/dev/null'
END
in_container -b systemd.unit=test.service >"$DIR/console" 2>&1 </dev/null
status=$?
[ -e "$DIR/share/said" ] || skip_all "no systemd boots in a container here (status $status): $(tail -n 1 "$DIR/console")"

LOG=$DIR/share/reforkd.log
said() { # NAME ERE
	like "$1" "$(sed -n "s/^$1: //p" "$DIR/share/said")" "^$2 *\$"
}
for unit in "$DIR"/units/reforkd*.s*[et]; do
	is "${unit##*/} is a unit" "$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F "${unit##*/}")" ''
done
said 'a request starts it' '[0-9]+ \[\]'
ok 'although it loads longer than TimeoutStartSec' [ -e "$LOG" ]
said state active
said status '2 of 2 workers, generation 0'
said main 'reforkd master .*'
said reload 0
said 'new status' '2 of 2 workers, generation 1; reload to gen=1 done .*'
said 'same pid' yes
said 'broken reload' '.* 1'
said still active
said 'still serves' '[0-9]+ \[\]'
said watchdog 1
said again active
said 'again serves' '[0-9]+ \[\]'
said stop '.*0'
said result success
said left ''
finish
