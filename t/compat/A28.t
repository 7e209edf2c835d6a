#!/bin/sh
# A28. check_client_connection with aborted TCP and UNIX clients: the application
# is not called for them; incompatible with tcp_nopush (that message is A3's, too).
. "$(dirname "$0")/lib.sh"
with_bundle t/gems/rack3
cat >"$DIR/config.ru" <<'END'
calls = 0
run lambda { |env| [200, { "content-type" => "text/plain" }, ["calls #{calls += 1}\n"]] }
END
port=$(free_port)
# A hundred that have asked, are queued in the kernel, and have gone: half by FIN,
# half by RST, which UNIX sockets do not know.
abort_them() { # tcp | unix
	perl -MSocket -MIO::Socket::INET -MIO::Socket::UNIX -e '
		for my $n (1 .. 100) {
			my $s = $ARGV[0] eq "tcp" ? IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[1]")
				: IO::Socket::UNIX->new(Peer => $ENV{SOCK});
			$s or die "client $n: $!\n";
			syswrite $s, "GET /$n HTTP/1.1\r\nHost: aborted\r\n\r\n" or die "client $n: $!\n";
			setsockopt $s, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0) if $n % 2;
			close $s or die "client $n: $!\n";
		}' "$1" "$port"
}
stopped() { case $(sed 's/.*) //' "/proc/$1/stat") in T*) ;; *) return 1 ;; esac; }
# The count that the one client learns who stays, behind the hundred.
aborted() { # tcp | unix
	aborted_pid=$(worker 0)
	kill -STOP "$aborted_pid" && until_true stopped "$aborted_pid" && abort_them "$1" || return
	kill -CONT "$aborted_pid"
	get /
}
each_way() { # PERSONALITY
	cat >"$DIR/u.rb" <<-END
		worker_processes 1
		listen "127.0.0.1:$port"
		listen ENV["SOCK"]
		check_client_connection $check
	END
	: >"$LOG"
	RACK_ENV=none as "$1" "$DIR/u.rb" "$DIR/config.ru"
}

check=true
for name in unicorn pitchfork reforkd; do
	each_way "$name"
	is "$name: nobody is there over TCP" "$(aborted tcp)" 'calls 1'
	is "$name: nor over UNIX" "$(aborted unix)" 'calls 2'
	stop || result 1 'stops'
done
check=false
each_way unicorn
like 'not checked, they are called' "$(aborted tcp)" 'calls ([5-9][0-9]|10[01])$'
stop || result 1 'stops'

cat >"$DIR/u.rb" <<END
listen "127.0.0.1:$port", tcp_nopush: true
check_client_connection true
END
nok 'not with tcp_nopush' run_as unicorn -c "$DIR/u.rb" "$DIR/config.ru"
ok 'which it says' grep -q 'check_client_connection is incompatible with tcp_nopush:true' "$DIR/err"
finish
