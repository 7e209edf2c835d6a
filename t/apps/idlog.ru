# The application of t/load: it files the id of each request, and its answer
# depends on every byte of the request. Rack 2.2 and 3.
require "zlib"

ids = File.open(ENV.fetch("LOAD_IDS"), File::WRONLY | File::APPEND | File::CREAT)

# LOAD_HEAP_MB makes the heap about that large, for those who time a refork.
heap = Array.new(ENV["LOAD_HEAP_MB"].to_i * 1_000_000 / 400) do |i|
  { name: "row #{i}", text: "a text that does not fit into a slot, number #{i}", tags: ["t#{i % 17}", i.to_s] }
end

# A body without a length: the server has to frame it.
pieces = Struct.new(:text) do
  def each
    0.step(text.bytesize - 1, 10_000) { |at| yield text.byteslice(at, 10_000) }
  end
end

use Rack::Lint if ENV["LOAD_LINT"]

run lambda { |env|
  heap.size
  id = env["HTTP_X_LOAD_ID"]
  length = crc = 0
  if (input = env["rack.input"])
    buffer = String.new
    while input.read(65_536, buffer)
      length += buffer.bytesize
      crc = Zlib.crc32(buffer, crc)
    end
  end
  next [200, { "content-type" => "text/plain" }, ["no id\n"]] unless id

  ids.syswrite("#{id}\n")
  want = env["HTTP_X_LOAD_WANT"].to_i
  text = format("%s %d %08x\n", id, length, crc)
  text << ("#{id}\n" * (want / (id.bytesize + 1) + 1)).byteslice(0, want) if want > 0
  headers = { "content-type" => "text/plain" }
  next [200, headers, pieces.new(text)] if env["HTTP_X_LOAD_STREAM"]

  [200, headers.merge("content-length" => text.bytesize.to_s), [text]]
}
