# A pool whose workers do what their first argument says.
timeout 5
spare 2
max 8
drain_timeout 2
release_timeout 1
lease_environment "LANG", "MINE_*"
boot { { booted_by: Process.pid } }
worker do |lease, state|
  case ARGV[0]
  when "echo" then $stdin.each_line { |line| puts "#{Process.pid} #{line}" }
  when "about"
    puts "cwd=#{Dir.pwd}", "umask=#{File.umask.to_s(8)}", "argv=#{ARGV.inspect}", "root=#{lease[:root]}", "key=#{lease.key}"
    puts "env=#{ENV.slice("LANG", "MINE_A", "MINE_B", "OTHER").inspect}", "state=#{state.key?(:booted_by)}"
    warn "said on stderr"
  when "exit" then exit Integer(ARGV[1])
  when "abort" then abort "aborted"
  when "raise" then raise ArgumentError, "nobody catches it"
  when "wait"
    puts "pid=#{Process.pid}"
    $stdout.flush
    sleep
  when "trap"
    %w[INT WINCH USR1 HUP].each { |name| trap(name) { puts "got #{name}" } }
    trap("TERM") { puts "got TERM"; exit 7 }
    puts "pid=#{Process.pid}"
    loop { sleep 0.05 }
  when "deaf"
    trap("TERM", "IGNORE")
    puts "pid=#{Process.pid}"
    sleep
  when "at_exit"
    at_exit { puts "at_exit" }
    puts "block"
  when "tty" then puts $stdin.tty?
  end
end
