#!/bin/sh
# A session that is warm gives a copy of itself as the next mold, and goes on.
. "$(dirname "$0")/lib.sh"
AWAIT=60 # several molds and clients: a busy machine takes its time
conf <<'END'
timeout 2
spare 1
max 6
canary_time 0.1
release_timeout 1
before_promotion { |_server| raise "not this one" if $no }
boot { { learnt: [] } }
worker do |lease, state|
  $stdout.sync = true
  begin
    $stdin.each_line(chomp: true) do |line|
      case line
      when /\Alearn (.*)/ then state[:learnt] << $1
      when "what" then puts state[:learnt].join(" ")
      when "where" then puts "#{Process.pid} #{lease.generation} #{Dir.pwd} #{ENV["LANG"]}"
      when "promote" then puts Reforkd.promote { state.merge(copied: Process.pid) }.inspect
      when "child" then puts IO.popen("-") { |child| child ? child.read : print((Reforkd.promote { 1 } rescue $!.message)) }
      when "late" then at_exit { warn((Reforkd.promote { 1 } rescue "late: #{$!.message}")) }
      when "from" then puts state[:copied].inspect
      when "no" then $no = true
      when "raising" then puts Reforkd.promote { raise "no state" }.inspect
      end
    end
  ensure
    puts "left"
  end
end
END
start "$CONF"

# A session whose words come from a fifo, so that it can be talked to.
open_session() { # NAME
	mkfifo "$DIR/$1.in"
	: >"$DIR/$1.out"
	(cd / && LANG=xx exec "$REFORKCTL" -c "$CONF" lease <"$DIR/$1.in" >"$DIR/$1.out" 2>>"$LOG") &
	eval "$1_pid=\$!"
}
lines() { wc -l <"$1"; }
more() { [ "$(lines "$1")" -gt "$2" ]; }
answer() { # NAME WORDS...; its next line. The fifo is open as 8 or 9
	answer_of=$DIR/$1.out answer_fd=$2
	answer_before=$(lines "$answer_of")
	shift 2
	eval "echo \"\$*\" >&$answer_fd"
	until_true more "$answer_of" "$answer_before" || { echo "nothing"; return; }
	tail -n 1 "$answer_of"
}
gen() { [ "$(workers | wc -l)" -ge 1 ] && tree '^reforkd worker' | grep -q "gen $1: idle"; }

open_session a
exec 8>"$DIR/a.in"
echo 'learn one' >&8
echo 'learn two' >&8
is 'a session learns' "$(answer a 8 what)" 'one two'
is 'a copy of it is made' "$(answer a 8 promote)" true
await 'and becomes the mold' logged 'refork to gen=1 done'
echo 'learn three' >&8
is 'the session goes on' "$(answer a 8 what)" 'one two three'
is 'with one worker and one answer' "$(grep -c true "$DIR/a.out")" 1
open_session b
exec 9>"$DIR/b.in"
is 'the next session knows what the first had learnt' "$(answer b 9 what)" 'one two'
like 'and is of the next generation' "$(answer b 9 where)" '^[0-9]+ 1 / xx$'
unlike 'the block ran in the copy' "$(answer b 9 from)" 'nil'
is 'it can be promoted in turn' "$(answer b 9 promote)" true
await 'again' logged 'refork to gen=2 done'
is 'one that may not be copied says so' "$(echo no >&8 && answer a 8 promote)" false
await 'which the log says' logged 'refork to gen=3 failed: .*not this one'
is 'a block that raises' "$(answer b 9 raising)" true
await 'is a failure in the log' logged 'no state'
ok 'and the old generation stays' gen 2
is 'a session without a timeout outlives the watchdog' "$(
	sleep_until=$(($(now) + 6))
	while [ "$(now)" -lt $sleep_until ]; do pause; done
	answer b 9 what)" 'one two'
like 'what a session forks is no session' "$(answer a 8 child)" 'is for a leased worker itself, while its block runs'
echo late >&8
exec 8>&- 9>&-
wait $a_pid
is 'it ends as it should' $? 0
ok 'its at_exit is too late' logged 'late: .*while its block runs'
is 'and has left once' "$(grep -c left "$DIR/a.out")" 1
wait $b_pid
finish
