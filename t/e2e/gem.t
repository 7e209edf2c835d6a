#!/bin/sh
# The gem, built and installed into a folder of its own: `bundle exec reforkd`
# and what a Ruby that runs it as an extension must not change; then `rackup -s
# reforkd` of Rack 2 and 3, and `rails server -u reforkd`.
AWAIT=${AWAIT:-60}
. "$(dirname "$0")/lib.sh"
RUBY=${RUBY:-ruby}
[ -d "$ROOT/vendor/bundle" ] || skip_all 'no gems are installed (t/setup check)'
export GEM_HOME="$DIR/gems" BUNDLE_APP_CONFIG="$DIR/bundler" BUNDLE_USER_HOME="$DIR/bundler"
export BUNDLE_SILENCE_ROOT_WARNING=true RACK_ENV=production OPT=-O0
GEM_PATH=$GEM_HOME:$(echo "$ROOT"/vendor/bundle/ruby/"$("$RUBY" -e 'print RbConfig::CONFIG["ruby_version"]')")
export GEM_PATH
unset BUNDLE_PATH BUNDLE_FROZEN BUNDLE_GEMFILE RUBYOPT
unset MAKEFLAGS MFLAGS MAKELEVEL WERROR # what `make check` was told is not the gem's

# The gem
ok 'is built' make -s -C "$ROOT" B="$B" RUBY="$RUBY" gem
cp -R "$ROOT/contrib/gem" "$DIR/gem.src"
lacking() { (cd "$DIR/gem.src" && "$RUBY" extconf.rb --with-cppflags="-Dev_tstamp=1 -Djson_t=1"); }
nok 'a library that cannot be used' lacking
lacking >"$DIR/lacking" 2>&1
ok 'is named as a package' grep -q '^    apt-get install libev-dev libjansson-dev$' "$DIR/lacking"
ok 'compiles itself' "$RUBY" -S gem install --local --no-document --install-dir "$GEM_HOME" --force "$B/reforkd.gem"
[ "$failures" -eq 0 ] || finish

bundle_of() { # NAME LINE...: a Gemfile, locked
	mkdir -p "$DIR/$1"
	export BUNDLE_GEMFILE="$DIR/$1/Gemfile"
	shift
	printf '%s\n' 'source "https://rubygems.org"' 'gem "reforkd"' "$@" >"$BUNDLE_GEMFILE"
	"$RUBY" -S bundle install --local --quiet
}
REFORKD=$DIR/exec
REFORKCTL=$DIR/ctl
printf '#!/bin/sh\nexec "%s" -S bundle exec reforkd "$@"\n' "$RUBY" >"$REFORKD"
printf '#!/bin/sh\nexec "%s" -S bundle exec reforkctl "$@"\n' "$RUBY" >"$REFORKCTL"
chmod +x "$REFORKD" "$REFORKCTL"

# bundle exec reforkd
ok 'a bundle with it' bundle_of rack3 'gem "rack", "~> 3.1"' 'gem "rackup"'
cat >"$DIR/config.ru" <<'END'
require "rack"
at_exit { File.write(File.join(ENV["RFK_TEST"], "left"), "#{Process.pid}\n", mode: "a") }
run lambda { |env|
  said = { "/name" => $0, "/frames" => caller.grep_v(/rack|config\.ru|^<reforkd>/).join(" "),
    "/compat" => (require "unicorn"; Unicorn::Configurator::RACKUP.class), "/rack" => Rack.release }[env["PATH_INFO"]]
  [200, { "content-type" => "text/plain" }, ["#{said || "pid #{Process.pid} parent #{Process.ppid}"}\n"]]
}
END
conf <<END
worker_processes 2
canary_time 0.05
pid "$DIR/pid"
END
start "$CONF"
like 'the Ruby is the user'\''s own' "$(readlink "/proc/$(molds)/exe")" "^$("$RUBY" -e 'print File.realpath(RbConfig.ruby)')$"
unlike 'the master has none' "$(cat "/proc/$MASTER/maps")" libruby
like 'serves, with the bundle'\''s rack' "$(get /rack)" '^3\.'
is 'its $0 is as ever' "$(get /name)" reforkd
is 'Unicorn:: is there' "$(get /compat)" Hash
like 'titles' "$(tree)" 'reforkd worker 1 gen 0: idle, [0-9]+ requests'
frames=$(get /frames)
ok 'reforkctl reforks' ctl refork
await 'all are of generation 1' generation 1 2
is 'no frame is added' "$(get /frames)" "$frames"
was=$(worker 0)
ok 'stops' stop QUIT
await 'at_exit ran in the workers' grep -qx "$was" "$DIR/left"
spawn "$CONF" -e 'raise "too early"'
await 'what fails before it ends the start' gone "$MASTER"
ok 'and is told' logged 'FATAL .*the initial mold failed to boot: correct what it has said above'
MASTER=

# A pool's own Ruby: another installation has the gem, a third one has not.
mkdir -p "$DIR/rbenv/versions/9.9.9/bin" "$DIR/nine/lib" "$DIR/nines" "$DIR/eight" "$DIR/seven" "$DIR/none"
printf '#!/bin/sh\nRUBY_OF_POOL=yes exec "%s" "$@"\n' "$(command -v "$RUBY")" >"$DIR/rbenv/versions/9.9.9/bin/ruby"
printf '#!/bin/sh\nexec env -u GEM_HOME -u GEM_PATH "%s" "$@"\n' "$(command -v "$RUBY")" >"$DIR/bare"
chmod +x "$DIR/rbenv/versions/9.9.9/bin/ruby" "$DIR/bare"
echo 9.9 >"$DIR/nine/.ruby-version"
echo 9.9.9 >"$DIR/nines/.ruby-version"
printf 'nodejs 20.1\nruby 8.8.8\n' >"$DIR/eight/.tool-versions"
printf '[tools]\nnode = "20"\n\n[tools.ruby]\nversion = "7.7.7"\n' >"$DIR/seven/mise.local.toml"
export RBENV_ROOT="$DIR/rbenv"
: >"$LOG"
cat >"$DIR/pools.rb" <<END
canary_time 0.05
pool(:named) { ruby "$DIR/rbenv/versions/9.9.9/bin/ruby"; worker { puts ENV["RUBY_OF_POOL"], Process.ppid } }
pool(:tuned) do
  ruby "$DIR/rbenv/versions/9.9.9/bin/ruby"
  gc init_slots: ENV["RUBY_OF_POOL"] ? 31_000 : 21_000
  worker { puts File.read("/proc/self/environ")[/RUBY_GC_HEAP_\\w*INIT_SLOTS=\\d+/] }
end
pool(:bare) { ruby "$DIR/bare"; worker { } }
pool(:project) { key :root; ruby :project; worker { puts ENV.fetch("RUBY_OF_POOL", "own") } }
END
bundled=$REFORKD REFORKD=$B/reforkd
READY='master process ready' start "$DIR/pools.rb"
in_folder() { (cd "$DIR/$1" && "$B/reforkctl" -c "$CONF" lease "$2" </dev/null 2>&1); }
leases() { in_folder "$@" | tee /dev/stderr | grep -qx "$3"; }
await 'the Ruby that a pool names' leases none named yes
await 'which is started with what gc says to it' leases none tuned 'RUBY_GC_HEAP_.*INIT_SLOTS=31000'
await 'one without the extension says what builds it' leases none bare ".*$DIR/bare -S gem install reforkd -v [0-9.]* .*(boot_failed)"
ok 'that of the project, by a folder of rbenv' leases nine/lib project yes
ok 'or by rbenv itself' leases nines project yes
ok 'one that nobody has' leases eight project ".*/eight/.tool-versions asks for Ruby 8.8.8, which .*(boot_failed)"
ok 'nor this, in a table of mise' leases seven project ".*/seven/mise.local.toml asks for Ruby 7.7.7, which .*(boot_failed)"
ok 'a project that says nothing has that of the server' leases none project own
ok 'they end' stop QUIT
unset RBENV_ROOT
REFORKD=$bundled CONF=$DIR/reforkd.conf.rb
: >"$LOG"

# Upgrade: what USR2 executes is the gem's program in this bundle.
: >"$LOG"
start "$CONF" --personality unicorn
old=$MASTER
kill -USR2 "$old"
upgraded() { [ -e "$DIR/pid.oldbin" ] && MASTER=$(cat "$DIR/pid") && [ "$MASTER" != "$old" ] && [ "$(workers | wc -l)" -eq 2 ]; }
await 'USR2: the next master' upgraded
kill -QUIT "$old"
await 'takes over' gone "$old"
ok 'and serves' body / "parent $MASTER"
stop || result 1 'stops'

# A script of the user's own: the application is an object of its
ruby_script() { # NAME LINE...: in the bundle
	printf '%s\n' "$@" >"$DIR/script.rb"
	: >"$LOG"
	background "$RUBY" -S bundle exec "$RUBY" "$DIR/script.rb" "two words" "$SOCK"
	MASTER=$!
	until_true ready_or_dead && serving
}
READY='worker=1 .*ready'
ok 'Unicorn::HttpServer.new(app, options).start.join' ruby_script 'require "unicorn"' \
	"said = \"#{ARGV.first} by #{Unicorn.listener_names}\"" \
	'app = lambda { |env| [200, { "content-type" => "text/plain" }, ["#{said} and #{Unicorn.listener_names}\n"]] }' \
	"Unicorn::HttpServer.new(app, listeners: [ARGV.last], worker_processes: 2, config_file: '$CONF').start.join"
is 'the object serves, with the script'\''s arguments' "$(get /)" "two words by [] and [\"$SOCK\"]"
like 'the process is the master' "$(cat "$DIR/pid")" "^$MASTER$"
sed -i 's/ by / again by /' "$DIR/script.rb"
kill -HUP "$MASTER"
await 'HUP reads the script anew' body / 'words again by'
stop || result 1 'stops'
ok 'Pitchfork.builder and HttpServer' ruby_script 'require "pitchfork"' \
	"app = Pitchfork.builder('$DIR/config.ru')" \
	'Pitchfork::HttpServer.new(app, { listeners: [ARGV.last], worker_processes: 2 }).start.join'
is 'serve the file' "$(get /rack)" "$("$RUBY" -S bundle exec "$RUBY" -e 'require "rack"; puts Rack.release')"
like 'as pitchfork' "$(tree)" 'pitchfork \(gen:0\) worker\[1\]'
stop || result 1 'stops'
ruby_script 'require "unicorn"' 'Unicorn::HttpServer.new(->(env) {}, worker_procesess: 2).start.join'
ok 'a mistake in the options' logged 'HttpServer.new: unknown directive: worker_procesess \(did you mean worker_processes\?\)'
MASTER=
printf '%s\n' 'require "unicorn"' 'Thread.new { Unicorn::HttpServer.new(->(env) {}).start.join }.join' >"$DIR/script.rb"
like 'in a thread' "$("$RUBY" -S bundle exec "$RUBY" "$DIR/script.rb" 2>&1)" 'reforkd: HttpServer#join .*on the main thread of a script'
ok 'a bundle with unicorn, too' bundle_of both 'gem "rack", "~> 2.2.8"' 'gem "unicorn"'
like 'is unicorn'\''s' "$("$RUBY" -S bundle exec "$RUBY" -e 'require "unicorn"; puts Unicorn::HttpServer.instance_method(:join).source_location')" '/gems/unicorn-6[^/]*/lib/'
ok 'and without again' bundle_of rack3 'gem "rack", "~> 3.1"' 'gem "rackup"'
READY='worker[ =].*ready'

# rackup
tcp() { curl -sS --max-time 15 "http://127.0.0.1:$port$1"; }
by() { # CMD...: until it is ready
	: >"$LOG"
	port=$(free_port)
	rm -f "$DIR/pid"
	background "$RUBY" -S bundle exec "$@" -p "$port"
	MASTER=$!
	until_true ready_or_dead && serving
}
RACKUP='load Gem.bin_path(ARGV.shift, "rackup")'
rackup() { # NAME VERSION GEM
	ok "$1: starts" by "$RUBY" -e "$RACKUP" "$3" -s reforkd -o 127.0.0.1 -P "$DIR/rackup.pid" -O "Config=$CONF"
	like "$1: serves with that rack" "$(tcp /rack)" "$2"
	is "$1: by the workers of the file" "$(workers | wc -l)" 2
	is "$1: its pid file" "$(cat "$DIR/rackup.pid")" "$MASTER"
	stop || result 1 'stops'
	nok "$1: which goes with it" [ -e "$DIR/rackup.pid" ]
}
sed -i /^pid/d "$CONF"
rackup 'Rack 3' '^3\.' rackup
like 'its options are told' "$("$RUBY" -S bundle exec "$RUBY" -e "$RACKUP" rackup -s reforkd -h)" 'Config=FILE'
ok 'a bundle with Rack 2' bundle_of rack2 'gem "rack", "~> 2.2.8"'
rackup 'Rack 2' '^2\.2' rack

# rails server
shop=$ROOT/examples/rails
if [ -e "$shop/storage/seeded.sqlite3" ]; then
	cp "$shop/storage/seeded.sqlite3" "$DIR/shop.sqlite3"
	export DATABASE_URL="sqlite3:$DIR/shop.sqlite3" RAILS_ENV=production
	ok 'the shop'\''s bundle' bundle_of shop "eval_gemfile '$shop/Gemfile'"
	READY='master process ready'
	printf '#!/bin/sh\ncd "%s" && exec bin/rails "$@"\n' "$shop" >"$DIR/rails"
	chmod +x "$DIR/rails"
	ok 'rails server starts' by "$DIR/rails" server -u reforkd -b 127.0.0.1 -P "$DIR/rails.pid"
	like 'serves' "$(tcp /)" '</html>'
	is 'its pid file' "$(cat "$DIR/rails.pid")" "$MASTER"
fi
finish
