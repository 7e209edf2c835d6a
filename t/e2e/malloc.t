#!/bin/sh
# malloc: another allocator, fewer arenas, trimming; and the application's own
# children see the user's environment, not what we put there.
. "$(dirname "$0")/lib.sh"
LIB=$(ls /usr/lib/*/libjemalloc.so.2 /usr/lib64/libjemalloc.so.2 2>/dev/null | head -n 1)
[ -n "$LIB" ] || skip_all 'libjemalloc2 is not installed'
MALLOC_ARENA_MAX=7
export MALLOC_ARENA_MAX
file() { # DIRECTIVE
	cat >"$DIR/reforkd.conf.rb" <<END
worker_processes 2
$1
File.write("$DIR/evaluated", "x", mode: "a")
# Each thread that allocates gets an arena of its own while the limit allows
# it; all but the first fill a multiple of 64 MB: what is used of it, and a rest
# that nobody may touch.
def arenas
  quit = Queue.new
  threads = Array.new(8) { Thread.new { Array.new(50) { |i| "x" * (100 + i) }.then { quit.pop } } }
  Thread.pass until threads.all? { |t| t.status == "sleep" }
  maps = File.readlines("/proc/self/maps").map { |l| [l.split[1], *l[/\A\S+/].split("-").map(&:hex)] }
  1 + maps.each_cons(2).count { |(_, from, to), (rest, at, until_)| rest == "---p" && at == to && (from % (64 << 20)).zero? && until_ == from + (64 << 20) }
ensure
  threads.each { quit << nil }
  threads.each(&:join)
end
rack do |env|
  body = case env["PATH_INFO"]
         when "/arenas" then arenas
         when "/maps" then File.read("/proc/self/maps")
         when "/child" then \`env | grep -E 'MALLOC_ARENA_MAX|LD_PRELOAD|REFORKD_|RUBY_GC_|YJIT'\`
         when "/env" then ENV.to_h.inspect
         end
  [200, { "content-type" => "text/plain" }, [body.to_s]]
end
END
	CONF=$DIR/reforkd.conf.rb
}
evaluated() { [ "$(wc -c <"$DIR/evaluated")" -eq "$1" ]; }

file 'malloc arena_max: 2'
start "$CONF"
is 'threads share two arenas' "$(get /arenas)" 2
is 'their children have the user'\''s own' "$(get /child)" MALLOC_ARENA_MAX=7
unlike 'and so has the application' "$(get /env)" 'REFORKD_|"MALLOC_ARENA_MAX"=>"2"'
ok 'the first evaluation is a double one' evaluated 2
ok 'reload' ctl reload
ok 'the next ones are not' evaluated 3
is 'with the same in force' "$(get /arenas)" 2
ok 'refork' ctl refork
is 'in later generations too' "$(get /child)" MALLOC_ARENA_MAX=7

file 'malloc :jemalloc'
ok 'reload with another allocator' ctl reload
like 'jemalloc is mapped' "$(get /maps)" 'libjemalloc'
is 'children see nothing of it' "$(get /child)" MALLOC_ARENA_MAX=7
ok 'and refork' ctl refork
like 'jemalloc stays' "$(get /maps)" 'libjemalloc'

file 'malloc :glibc, trim: true'
ok 'back to the system'\''s' ctl reload
unlike 'jemalloc has gone' "$(get /maps)" 'libjemalloc'
like 'and the arenas are the user'\''s again' "$(get /arenas)" '^[3-7]$'
is 'and no child ever saw it' "$(get /child)" MALLOC_ARENA_MAX=7

file "malloc '$DIR/none.so'"
nok 'a library that is not there refuses the reload' ctl reload
ok 'with the line' logged "reforkd.conf.rb:2: malloc=.*none.so. cannot be read: No such file"
echo 'not a library at all, only text' >"$DIR/text.so"
file "malloc '$DIR/text.so'"
nok 'nor is a text one' ctl reload
ok 'and says so' logged 'reforkd.conf.rb:2: malloc=.*text.so. is not a shared library'
file 'malloc arena_max: 0'
nok 'no arena is too few' ctl reload
file 'malloc :hoard'
nok 'an unknown name' ctl reload
ok 'names the known ones' logged 'malloc=:hoard is not known \(:glibc, :jemalloc, or the path'
is 'the old ones serve' "$(get /child)" MALLOC_ARENA_MAX=7
finish
