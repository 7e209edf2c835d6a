#!/bin/sh
# A3. Wrong config -> exit 1, message text of 1.1 on stderr, no listener left
# bound, existing pid file untouched.
. "$(dirname "$0")/lib.sh"
ru='run ->(env) { [200, {}, []] }'
echo "$ru" >"$DIR/config.ru"
echo 12345678 >"$DIR/pid"
with_bundle t/gems/rack3
# What the gem says of each line, in one process: "LINE <tab> MESSAGE".
theirs() {
	peer_env "${RUBY:-ruby}" -e '
		require "unicorn"
		server = Object.new
		def server.method_missing(*) = nil
		STDIN.each_line(chomp: true) do |line|
		  line = line.split(" ~ ")[0]
		  File.write(ARGV[0], "listen %p\npreload_app false\n%s\n" % [ARGV[1], line])
		  begin
		    Unicorn::Configurator.new(use_defaults: true, config_file: ARGV[0]).commit!(server)
		  rescue ArgumentError => e
		    puts "#{line}\t#{e.message.inspect[1..-2].gsub(%q(\"), %q("))}"
		  end
		end' "$DIR/theirs.rb" "$DIR/never.sock" 2>/dev/null
}
mistake() { # LINE TEXT: ours says it, and so does theirs
	printf 'listen "%s"\npreload_app false\n%s\n' "$DIR/never.sock" "$1" >"$DIR/u.rb"
	run_as unicorn -c "$DIR/u.rb"
	mistake_status=$?
	cat "$DIR/out" "$DIR/err"
	[ $mistake_status -eq 1 ] || return 1
	grep -qF -- "$2" "$DIR/err" || return 1
	[ "$(wc -l <"$DIR/err")" -eq 1 ] || return 1
	[ ! -e "$DIR/never.sock" ] || return 1
	[ "$(cat "$DIR/pid")" = 12345678 ] || return 1
	[ -s "$DIR/theirs" ] || return 0
	grep -F -- "$1	" "$DIR/theirs" | cut -f2 >"$DIR/their"
	cat "$DIR/their"
	grep -qF -- "$2" "$DIR/their"
}
cat >"$DIR/table" <<'END'
worker_processes "x" ~ not an integer: worker_processes="x"
worker_processes nil ~ not an integer: worker_processes=nil
worker_processes 1.5 ~ not an integer: worker_processes=1.5
worker_processes 0 ~ too low (< 1): worker_processes=0
timeout "5" ~ not an integer: timeout="5"
timeout 3.5 ~ not an integer: timeout=3.5
timeout 2 ~ too low (< 3): timeout=2
client_body_buffer_size -1 ~ too low (< 0): client_body_buffer_size=-1
client_body_buffer_size "1" ~ not an integer: client_body_buffer_size="1"
preload_app nil ~ preload_app=nil not a boolean
preload_app 1 ~ preload_app=1 not a boolean
worker_exec 1 ~ worker_exec=1 not a boolean
default_middleware 1 ~ default_middleware=1 not a boolean
early_hints "yes" ~ early_hints="yes" not a boolean
check_client_connection 1 ~ check_client_connection=1 not a boolean
rewindable_input 1 ~ rewindable_input=1 not a boolean
logger 5 ~ logger=5 does not respond to method=debug
user "no-such-user" ~ can't find user for no-such-user
listen 1, backlog: "x" ~ not an integer: backlog="x"
listen 1, tcp_nodelay: 1 ~ not boolean: tcp_nodelay=1
listen 1, delay: "x" ~ not numeric: delay="x"
pid "/no/such/dir/pid" ~ directory for pid=/no/such/dir/pid not writable
stderr_path "/no/such/dir/e" ~ directory for stderr_path=/no/such/dir/e not writable
before_fork { |a| } ~ has invalid arity: 1 (need 2)
after_fork { |a| } ~ has invalid arity: 1 (need 2)
after_worker_ready { |a| } ~ has invalid arity: 1 (need 2)
after_worker_exit { |a, b| } ~ has invalid arity: 2 (need 3)
before_exec { |a, b| } ~ has invalid arity: 2 (need 1)
after_fork 1 ~ invalid type: after_fork=1
check_client_connection true; listen 1, tcp_nopush: true ~ check_client_connection is incompatible with tcp_nopush:true
END
theirs <"$DIR/table" >"$DIR/theirs"
while read -r both; do
	ok "${both%% ~ *}" mistake "${both%% ~ *}" "${both##* ~ }"
done <"$DIR/table"

# What is relative must be there after the move.
mkdir "$DIR/elsewhere"
echo "working_directory '$DIR/elsewhere'" >"$DIR/u.rb"
nok 'a relative file and a working_directory' run_as unicorn -c u.rb
ok 'is named' grep -qF "config_file=u.rb would not be accessible in working_directory=$DIR/elsewhere" "$DIR/err"

# A live pid file, and rackup files that are not there.
echo $$ >"$DIR/pid"
printf 'listen "%s"\npid "%s/pid"\n' "$DIR/never.sock" "$DIR" >"$DIR/u.rb"
nok 'a pid file that lives' run_as unicorn -c "$DIR/u.rb"
ok 'is named' grep -qF "Already running on PID:$$ (or pid=$DIR/pid is stale)" "$DIR/err"
is 'and untouched' "$(cat "$DIR/pid")" $$
nok 'a rackup file that is not there' run_as unicorn none.ru
ok 'is named' grep -qF 'rackup file (none.ru) not readable' "$DIR/err"
nok 'a directive that neither knows' sh -c "echo 'wroker_processes 2' >'$DIR/u.rb'; cd '$DIR' && timeout 20 bin/unicorn -c '$DIR/u.rb' 2>'$DIR/err'"
ok 'is one line with its place and the nearest name' grep -Eq "$DIR/u.rb:1: .*wroker_processes.*worker_processes" "$DIR/err"
is 'nothing is left' "$(strays)" ''
finish
