# frozen_string_literal: true

# send.rb PORT LINES SENDS EVERY: so many times so many lines by fluentd's forward
# protocol, a send each EVERY seconds. Each send is acknowledged, so that what
# it prints at the end is what fluentd has taken.

require "msgpack"
require "socket"

port, lines, sends = ARGV.first(3).map(&:to_i)
every = ARGV.fetch(3, 0).to_f
socket = TCPSocket.new("127.0.0.1", port)
unpacker = MessagePack::Unpacker.new(socket)
began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
sent = late = 0

sends.times do |n|
  now = Time.now.to_i
  entries = Array.new(lines) do |i|
    [now, { "n" => (n * lines) + i, "message" => "GET /books/#{i % 997} HTTP/1.1 200 #{n}", "agent" => "Mozilla/5.0 (compatible)", "ms" => i % 89 }]
  end
  socket.write(MessagePack.pack(["bench.lines", entries, { "chunk" => n.to_s }]))
  raise "send #{n} is not acknowledged" unless unpacker.read["ack"] == n.to_s

  sent += lines
  ahead = began + ((n + 1) * every) - Process.clock_gettime(Process::CLOCK_MONOTONIC)
  ahead.positive? ? sleep(ahead) : late += 1
end
seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - began
puts "#{sent} lines in #{format("%.1f", seconds)} s, #{every.positive? ? late : 0} sends were late"
