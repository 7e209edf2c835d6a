#!/bin/sh
# B45. `prevent_fork` blocks promotion without stalling requests longer than its
# block; promotion skipped is retried.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/p.rb" <<'END'
worker_processes 1
END
cat >"$DIR/config.ru" <<'END'
run lambda { |env|
  case env["PATH_INFO"]
  when "/hold" # a thread that is in the midst of something
    $held = Thread.new { Pitchfork.prevent_fork { Thread.current[:in] = true; sleep } }
    Thread.pass until $held[:in]
  when "/drop" then $held.wakeup && $held.join
  when "/briefly" then Pitchfork.prevent_fork { File.read(File.join(ENV["RFK_TEST"], "fifo")) }
  end
  [200, { "content-type" => "text/plain" }, ["#{Process.pid}\n"]]
}
END
RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"
was=$(get /hold)
kill -USR2 "$MASTER"
await 'a block in another thread: the promotion is refused' logged "worker=0 .*refuses to be promoted: inside .*prevent_fork at $DIR/config.ru:4"
is 'requests are served meanwhile, by the same one' "$(get /)" "$was"
ok 'it is still of generation 0' generation 0 1
ok 'the block ends' get /drop
await 'it is tried again by itself' generation 1 1
await 'by one promotion' logged 'refork to gen=1 done'

mkfifo "$DIR/fifo"
was=$(get /)
get /briefly >"$DIR/out" &
exec 4>"$DIR/fifo" # opens when the block is entered
kill -USR2 "$MASTER"
await 'a block in the request: the promotion waits' logged 'refork to gen=2: promoting'
ok 'nothing is forked' generation 1 1
exec 4>&-
await 'the request ends with its block' grep -qx "$was" "$DIR/out"
await 'and the promotion comes behind it' logged 'refork to gen=2 done'
finish
