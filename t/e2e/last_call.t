#!/bin/sh
# A stop while clients are queued: those of a run block, and those of a pool that
# has no worker left. Each of them is answered.
. "$(dirname "$0")/lib.sh"
port=$(free_port)
export PORT=$port
READY='master process ready'

# So many clients that have asked; whether each got all of its answer.
queue() { # UNIX|PORT COUNT
	rm -f "$DIR/queued"
	perl -MSocket -e '
		my ($at, $n) = @ARGV;
		my @all = map {
			socket(my $s, $at =~ m{/} ? AF_UNIX : AF_INET, SOCK_STREAM, 0) or die;
			connect($s, $at =~ m{/} ? pack_sockaddr_un($at) : pack_sockaddr_in($at, INADDR_LOOPBACK)) or die "connect: $!\n";
			syswrite($s, "GET / HTTP/1.0\r\n\r\n") or die;
			$s;
		} 1 .. $n;
		open(my $f, ">", "$ENV{DIR}/queued") or die;
		alarm 30;
		my $good = 0;
		for my $s (@all) { local $/; $good++ if (<$s> // "") =~ /\r\n\r\nserved\n\z/ }
		print "$good\n";' "$1" "$2" >"$DIR/answered" 2>&1 &
	CLIENTS=$!
	until_true [ -e "$DIR/queued" ]
}
answered() { until_true gone "$CLIENTS"; cat "$DIR/answered"; }
stopped() { until_true gone "$MASTER" && wait "$MASTER"; }

# A run block: it is held until the stop is under way.
conf <<'END'
listen ENV.fetch("SOCK")
listen "127.0.0.1:#{ENV.fetch("PORT")}"
processes Integer(ENV.fetch("COUNT", 1))
run do |worker|
  held = "#{ENV["RFK_TEST"]}/hold"
  sleep 0.01 while File.exist?(held)
  while worker.running?
    ready, = IO.select(worker.listeners, nil, nil, 0.05)
    sleep 0.01 while File.exist?(held)
    ready&.each do |server|
      client, = server.accept_nonblock(exception: false)
      next if client == :wait_readable
      client.readpartial(1000)
      sleep 0.01
      client.write("HTTP/1.0 200 OK\r\n\r\nserved\n")
      client.close
    end
  end
  warn "ends by itself"
ensure
  warn "ended"
end
END
for how in "$SOCK" "$PORT"; do
	: >"$LOG"
	: >"$DIR/hold"
	start "$CONF"
	ok 'clients are queued' queue "$how" 20
	kill -TERM "$MASTER"
	await 'a stop' logged 'SIGTERM received'
	rm "$DIR/hold"
	is 'all are answered by the block' "$(answered)" 20
	ok 'which is told then' stopped
	nok 'nothing was complained about' logged ' (WARN|ERROR|FATAL) -- '
	MASTER=
done

: >"$LOG"
: >"$DIR/hold"
start "$CONF"
remember
ok 'clients are queued' queue "$SOCK" 20
kill -KILL "$MASTER"
await 'the master is killed' logged 'the master is gone'
rm "$DIR/hold"
is 'the block serves them all the same' "$(answered)" 20
await 'and ends' all_gone
MASTER=

# Blocks that wait in accept, and never ask
conf <<'END'
listen ENV.fetch("SOCK")
processes 2
run do |worker|
  sleep 0.01 while File.exist?("#{ENV["RFK_TEST"]}/hold")
  loop do
    client, = worker.listeners.first.accept
    client.readpartial(1000)
    client.write("HTTP/1.0 200 OK\r\n\r\nserved\n")
    client.close
  end
end
END
: >"$LOG"
: >"$DIR/hold"
start "$CONF"
ok 'clients are queued' queue "$SOCK" 20
kill -TERM "$MASTER"
await 'a stop' logged 'SIGTERM received'
rm "$DIR/hold"
is 'all are answered by blocks that only accept' "$(answered)" 20
ok 'which end with the queue' stopped
nok 'nothing was complained about' logged ' (WARN|ERROR|FATAL) -- '
MASTER=

# No worker at all
conf <<'END'
worker_processes 2
listen ENV.fetch("SOCK")
listen "127.0.0.1:#{ENV.fetch("PORT")}"
rack { |_env| [200, {}, ["served\n"]] }
END
for how in "$SOCK" "$PORT"; do
	: >"$LOG"
	start "$CONF"
	kill -WINCH "$MASTER"
	await 'WINCH ends the workers' count 0 workers
	ok 'clients are queued' queue "$how" 20
	kill -QUIT "$MASTER"
	is 'a stop answers them' "$(answered)" 20
	ok 'by a worker made for them' logged '(20|1[0-9]) clients wait and no worker serves: one is made'
	ok 'and then ends' stopped
	MASTER=
done
: >"$LOG"
start "$CONF"
kill -WINCH "$MASTER"
await 'WINCH once more' count 0 workers
ok 'a stop without anybody' stop QUIT
nok 'makes nobody' logged 'one is made'
finish
