#!/bin/sh
# malloc trim: true: what a request left behind in malloc's arenas goes back to
# the kernel, once a worker has nothing to do.
. "$(dirname "$0")/lib.sh"
AWAIT=40
conf <<'END'
worker_processes 1
malloc trim: true
refork false
KEPT = []
rack do |env|
  case env["PATH_INFO"]
  when "/fill" # every 50th stays, so that the top of the heap cannot sink by itself
    KEPT << Array.new(100_000) { |i| "x" * 1000 + i.to_s }
    2.times { GC.start } # old, so that only a major collection frees them
  when "/drop"
    KEPT.map! { |all| all.each_slice(50).map(&:first) }
    GC.start
  end
  [200, { "content-type" => "text/plain" }, ["pid #{Process.pid}\n"]]
end
END
start "$CONF"
rss_mb() { ctl --json dumpstat 0 | sed -n 's/.*"rss_kb": \([0-9]*\)[0-9]\{3\}.*/\1/p'; }
below() { [ "$(rss_mb)" -lt "$1" ]; }

ok 'serves' body / '^pid'
SMALL=$(rss_mb)
ok 'fills' body /fill '^pid'
ok 'a hundred megabytes' [ "$(rss_mb)" -ge $((SMALL + 90)) ]
ok 'drops them' body /drop '^pid'
await 'they go back' below $((SMALL + 50))
ok 'serves on' body / '^pid'
finish
