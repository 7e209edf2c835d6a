#!/bin/sh
# gc: how Ruby's collector is started, by the file. It acts in the mold and its
# workers, in every generation, and nobody else's environment has it.
. "$(dirname "$0")/lib.sh"
RUBY_GC_MALLOC_LIMIT=20M
export RUBY_GC_MALLOC_LIMIT
file() { # DIRECTIVE
	cat >"$DIR/reforkd.conf.rb" <<END
worker_processes 1
canary_time 0.05
$1
File.write("$DIR/evaluated", "x", mode: "a")
rack do |env|
  body = case env["PATH_INFO"]
         when "/child" then \`env | grep ^RUBY_GC_\`
         when "/env" then ENV.select { |name, _| name.start_with?("RUBY_GC_") }.inspect
         else "limit #{GC.stat(:malloc_increase_bytes_limit)} old #{GC.stat(:oldmalloc_increase_bytes_limit)}"
         end
  [200, { "content-type" => "text/plain" }, [body.to_s]]
end
END
	CONF=$DIR/reforkd.conf.rb
}
evaluated() { [ "$(wc -c <"$DIR/evaluated")" -eq "$1" ]; }
limit() { get / | sed -n 's/^limit \([0-9]*\) .*/\1/p'; }
old_limit() { get / | sed 's/.* old //'; }

file 'gc malloc_limit: "64M", oldmalloc_limit: 90_000_000, growth_factor: 1.25'
start "$CONF"
is 'a limit is in force' "$(limit)" 67108864
is 'and another one' "$(old_limit)" 90000000
like 'the heap keeps fewer slots free, as it is asked for by itself' "$(ctl --json dumpstat 0)" '"RUBY_GC_HEAP_FREE_SLOTS_MIN_RATIO": "?0\.05'
is 'children have the user'\''s own' "$(get /child)" RUBY_GC_MALLOC_LIMIT=20M
is 'and so has the application' "$(get /env | tr -d ' ')" '{"RUBY_GC_MALLOC_LIMIT"=>"20M"}'
ok 'the first evaluation is a double one' evaluated 2
like 'dumpstat names what Ruby was started with' "$(ctl --json dumpstat 0)" '"RUBY_GC_MALLOC_LIMIT_MAX": "?134217728'
ok 'refork' ctl refork
is 'the next generation has it' "$(limit)" 67108864
ok 'reload' ctl reload
ok 'evaluates once' evaluated 3
is 'with the same in force' "$(limit)" 67108864

file '# nothing'
ok 'without it' ctl reload
is 'the user'\''s own' "$(limit)" 20971520
unset VERSION
VERSION=$(ctl --json dumpstat 0 | sed -n 's/.*"version": "\([0-9]*\.[0-9]*\).*/\1/p')
file 'gc <<~LINES
  # 12 of 15 collections in requests because of malloc
  RUBY_GC_MALLOC_LIMIT=48M
  RUBY_GC_HEAP_INIT_SLOTS=100000
  RUBY_GC_HEAP_1_INIT_SLOTS=100000
LINES'
ok 'lines of advise' ctl reload
is 'count as well' "$(limit)" 50331648
case $VERSION in
3.1) not='HEAP_1_INIT_SLOTS, but RUBY_GC_HEAP_INIT_SLOTS' ;;
*) not='HEAP_INIT_SLOTS, but RUBY_GC_HEAP_0_INIT_SLOTS' ;;
esac
ok 'what this Ruby does not read is named, with what it reads' logged "gc: Ruby $VERSION.* does not read RUBY_GC_$not"

file 'gc free_slots_min_ratio: 0.15'
ok 'a ratio of the file' ctl reload
like 'comes before ours' "$(ctl --json dumpstat 0)" '"RUBY_GC_HEAP_FREE_SLOTS_MIN_RATIO": "?0\.15'
file 'oob_gc false'
ok 'without oob_gc' ctl reload
unlike 'Ruby has its own' "$(ctl --json dumpstat 0)" FREE_SLOTS
file 'gc malloc_limit: "48M"'
ok 'the limit again' ctl reload

file 'gc speed: 3'
nok 'an unknown option' ctl reload
ok 'names the known ones' logged 'reforkd.conf.rb:3: gc speed: is not known \(write init_slots:, '
file 'gc malloc_limit: "lots"'
nok 'no size' ctl reload
ok 'is told how it is written' logged 'reforkd.conf.rb:3: gc malloc_limit: "lots" is no size'
file 'gc "MALLOC_LIMIT=64M"'
nok 'no line of advise' ctl reload
ok 'likewise' logged 'reforkd.conf.rb:3: gc: "MALLOC_LIMIT=64M" is not NAME=VALUE'
is 'the old one serves' "$(limit)" 50331648
file 'gc init_slots: [300_000, 20_000]'
like 'reforkd -t prints what it comes to' "$("$REFORKD" -t -c "$CONF" 2>&1)" 'gc "RUBY_GC_HEAP_(INIT_SLOTS=320000|0_INIT_SLOTS=300000 RUBY_GC_HEAP_1_INIT_SLOTS=20000)"'
finish
