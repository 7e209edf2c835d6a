#!/bin/sh
# The master's lines go to the file's own logger, each once and in order; to
# stderr while no mold takes them.
. "$(dirname "$0")/lib.sh"
app=$DIR/app.log
conf <<CONF
require "logger"
class Picky # no more than unicorn asks for
  def initialize(path) = (@file = File.open(path, "ab").tap { |file| file.sync = true })
  %w[debug info warn error fatal].each do |level|
    define_method(level) do |text|
      sleep if File.exist?("$DIR/hang")
      raise IOError, "a full disk" if File.exist?("$DIR/full")
      @file.syswrite("#{level} #{text}\n")
    end
  end
end
logger Picky.new("$app")
worker_processes 2
spawn_timeout 20
hook_timeout 0.5
refork_after false
rack { |env| [200, {}, ["fine\n"]] }
CONF
: >"$app"
in_app() { [ "$(grep -Ec -- "$1" "$app")" -ge "${2:-1}" ]; }
whole() { count 2 workers && body / fine; }
spawn "$CONF"
await 'starts' in_app '^info master process ready'
ok 'its workers are told of in the logger' in_app '^info worker=[01] gen=0 pid=[0-9]+ ready' 2
nok 'and not on stderr' logged 'worker=.*ready|process ready'
kill -KILL "$(worker 0)"
await 'with its severity' in_app '^error worker=0 gen=0 pid=[0-9]+ ended \(SIGKILL'

# In order, none lost, none doubled.
: >"$DIR/wanted"
for i in 1 2 3 4 5 6 7 8; do
	ctl scale +1 >/dev/null && ctl scale -1 >/dev/null
	echo '2 -> 3' >>"$DIR/wanted" && echo '3 -> 2' >>"$DIR/wanted"
done
scaled() { grep -o 'workers: . -> . (asked by reforkctl.*' "$app" | sed 's/workers: //; s/ (.*//'; }
all_scaled() { [ "$(scaled | wc -l)" -eq 16 ]; }
await 'every line comes' all_scaled
is 'in its order' "$(scaled)" "$(cat "$DIR/wanted")"
is 'once' "$(grep -c 'workers: .*asked' "$LOG")" 0

# A logger that raises, or hangs.
: >"$DIR/full"
ctl scale +1 >/dev/null
await 'it raises: the line stands on stderr' logged 'workers: 2 -> 3 \(asked'
ok 'with the reason' logged 'logger did not take that line: a full disk'
rm "$DIR/full"
whole_3() { count 3 workers && body / fine; }
await 'it serves' whole_3
: >"$DIR/hang"
ctl scale -1 >/dev/null
await 'it hangs: it is interrupted' logged 'logger did not take that line: the logger has not returned in 0.5 s'
kill -KILL "$(worker 0)"
await 'workers are replaced' whole
rm "$DIR/hang"
: >"$app"
ctl scale +1 >/dev/null
await 'and when it works again' in_app 'workers: 2 -> 3'

# Without a mold.
ctl scale -1 >/dev/null
kill -KILL "$(molds)"
await 'without a mold: stderr' logged 'the mold is gone, its workers go on'
: >"$app"
await 'a new one takes them again' in_app 'mold gen=1 .*ready|gen=1'
kill -KILL "$(worker 1)"
await 'each line' in_app '^error worker=1 .*SIGKILL'
is 'in one place only' "$(grep -c 'worker=1 .*SIGKILL' "$LOG")" 0
stop
ok 'the last line is not lost' logged 'master complete'
ok 'nor those before it' in_app 'SIGTERM received, starting graceful shutdown'

# One that writes to stderr in a format of its own.
conf <<CONF
require "logger"
logger Logger.new(\$stderr, formatter: proc { |severity, _, _, text| "{#{severity}: #{text}}\n" })
rack { |env| [200, {}, ["fine\n"]] }
CONF
: >"$LOG"
start "$CONF"
ok 'a format of its own counts' logged '^\{INFO: master process ready'
finish
