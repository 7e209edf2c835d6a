#!/bin/sh
# B47. `Info.*`, `MemInfo`, `listener_names`, `shutting_down?` visible before
# listeners close; prevent_fork.
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/p.rb" <<CONF
worker_processes 2
refork_after false
set[:logger].level = 1
after_worker_fork { |server, worker| \$nr = worker.nr }
before_worker_exit { |*| File.write("$DIR/shutting", Pitchfork::Info.shutting_down?.to_s) }
CONF
cat >"$DIR/config.ru" <<'END'
require "pitchfork"
require "pitchfork/info"
run lambda { |env|
  info = Pitchfork::Info
  text =
    case env["PATH_INFO"]
    when "/counts" then "#{info.workers_count} #{info.live_workers_count} #{info.shutting_down?} #{info.fork_safe?}"
    when "/unsafe" then info.no_longer_fork_safe! && "#{$nr}"
    when "/names" then Pitchfork.listener_names.inspect
    when "/kept" then (info.keep_io($stderr) && info.keep_ios([$stdout])).size
    when "/memory" then Pitchfork::MemInfo.new(Process.pid).then { |m| m.rss >= m.pss && m.pss > 1000 && m.shared_memory > 0 && m.cow_efficiency(m) > 0 }
    when "/prevent" then Pitchfork.prevent_fork { "inside" }
    when "/misc" then [Pitchfork::REFORKING_AVAILABLE, Pitchfork::HttpServer, Pitchfork::ReforkCondition::RequestsCount.new([1]).respond_to?(:met?)].inspect
    end
  [200, { "content-type" => "text/plain" }, ["#{text}\n"]]
}
END
RACK_ENV=none as pitchfork "$DIR/p.rb" "$DIR/config.ru"
is 'counts' "$(get /counts)" '2 2 false true'
is 'listener_names' "$(get /names)" "[\"$SOCK\"]"
is 'keep_io' "$(get /kept)" 1
is 'MemInfo' "$(get /memory)" true
is 'prevent_fork' "$(get /prevent)" inside
is 'constants' "$(get /misc)" '[true, Reforkd::Server, true]'
unsafe=$(get /unsafe)
like 'no_longer_fork_safe!' "$unsafe" '^[01]$'
kill -USR2 "$MASTER"
await 'the other one is promoted' logged "promoting worker=$((1 - unsafe)) "
await 'and serves' logged 'refork to gen=1 done'
stop
is 'shutting_down? in a worker that leaves' "$(cat "$DIR/shutting")" true
finish
