# What the tests of the Rack side ask: one path for each kind of answer. Under
# Rack::Lint, in Rack 2.2 and 3.
require "digest"
require "json"
require "uri" # Lint of Rack 2.2 needs it, and does not say so

RACK3 = Rack.release >= "3"
TYPE = RACK3 ? "content-type" : "Content-Type"

# Yields its pieces; counts how often it is closed.
class Pieces
  CLOSED = Hash.new(0)

  def initialize(name, *pieces)
    @name = name
    @pieces = pieces
  end

  def each
    @pieces.each do |piece|
      raise "no more pieces" if piece == :raise

      yield piece
    end
  end

  def close = CLOSED[@name] += 1
end

class PathBody < Pieces
  def initialize(path)
    super("path", "each was called")
    @path = path
  end

  def to_path = @path

  def each = yield(File.binread(@path))
end

FINISHED = []

def plain(text, code = 200, more = {}) = [code, { TYPE => "text/plain" }.merge(more), [text]]

ANSWERS = {
  "/" => ->(_) { plain("hello\n") },
  "/env" => lambda { |env|
    seen = env.select { |k, v| v.is_a?(String) && k !~ /\Arack\./ }
    seen["scheme"] = env["rack.url_scheme"]
    seen["encodings"] = env.values.grep(String).map { |v| v.encoding.to_s }.uniq.sort.join(",")
    plain(JSON.generate(seen.transform_values { |v| v.dup.force_encoding("UTF-8").scrub }) + "\n")
  },
  "/digest" => lambda { |env|
    input = env["rack.input"]
    text = input.read.to_s
    again = RACK3 && !input.respond_to?(:rewind) ? text : (input.rewind; input.read.to_s)
    plain("#{text.bytesize} #{Digest::MD5.hexdigest(text)} #{text == again} #{env["CONTENT_LENGTH"]} #{env["HTTP_X_TRAILER"]}\n")
  },
  "/each" => ->(_) { [200, { TYPE => "text/plain" }, Pieces.new("each", "one\n", "", "two\n")] },
  "/each-length" => ->(_) { [200, { TYPE => "text/plain", (RACK3 ? "content-length" : "Content-Length") => "8" }, Pieces.new("each", "one\n", "two\n")] },
  "/raise" => ->(_) { raise ArgumentError, "a broken\napplication" },
  "/raise-each" => ->(_) { [200, { TYPE => "text/plain" }, Pieces.new("raise", "one\n", :raise)] },
  "/raise-first" => ->(_) { [200, { TYPE => "text/plain" }, Pieces.new("raise", :raise)] },
  "/path" => ->(_) { [200, { TYPE => "text/plain" }, PathBody.new(ENV.fetch("BIG_FILE"))] },
  "/large" => ->(_) { plain("0123456789abcdef" * 131_072) },
  "/large-each" => ->(_) { [200, { TYPE => "text/plain" }, Pieces.new("large", *(["0123456789abcdef" * 4096] * 32))] },
  "/empty" => ->(_) { [204, {}, []] },
  "/not-modified" => ->(_) { [304, {}, []] },
  "/twice" => ->(_) { plain("two values\n", 200, (RACK3 ? { "x-two" => %w[1 2] } : { "X-Two" => "1\n2" })) },
  "/status" => ->(_) { plain("teapot\n", 418) },
  "/closed" => ->(_) { plain(Pieces::CLOSED.sort.map { |k, v| "#{k}=#{v}" }.join(" ") + "\n") },
  "/after" => lambda { |env|
    env["rack.after_reply"] << -> { FINISHED << "after" }
    env["rack.response_finished"]&.push(->(_env, status, _headers, error) { FINISHED << "finished #{status} #{error.inspect}" })
    plain("later\n")
  },
  "/after-raise" => lambda { |env|
    env["rack.response_finished"]&.push(->(_env, status, _headers, error) { FINISHED << "finished #{status.inspect} #{error.class}" })
    raise "with a callback"
  },
  "/finished" => ->(_) { plain(FINISHED.join(", ") + "\n") },
  "/slow" => ->(_) { sleep 0.3; plain("slow\n") },
  "/pid" => ->(_) { plain("#{Process.pid}\n") },
  "/hints" => lambda { |env|
    env["rack.early_hints"]&.call({ (RACK3 ? "link" : "Link") => "</a.css>; rel=preload" })
    plain("hinted\n")
  },
  "/call" => lambda { |_|
    body = lambda do |stream|
      stream.write("streamed\n")
      stream << "twice\n"
      stream.flush
      stream.close
    end
    [200, { TYPE => "text/plain" }, body]
  },
  "/partial" => lambda { |_|
    hijack = lambda do |io|
      io.write("partly mine\n")
      io.close
    end
    [200, { TYPE => "text/plain", "rack.hijack" => hijack }, []]
  },
}.freeze

linted = Rack::Builder.app do
  use Rack::Lint
  run(lambda { |env| (ANSWERS[env["PATH_INFO"]] || ->(_) { plain("nothing here\n", 404) }).call(env) })
end

# What Lint does not let through.
ROUGH = {
  "/hijack" => lambda { |env|
    io = env["rack.hijack"].call
    Thread.new do
      line = io.gets
      io.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nmine: #{line}")
      io.close
    end
    [-1, {}, []]
  },
  "/inject" => ->(_) { [200, { TYPE => "text/plain", "x-a" => "1\r\nx-evil: 1", "x-b" => "fine" }, ["injected\n"]] },
  "/lines" => ->(_) { [200, { TYPE => "text/plain", "x-l" => "1\n2\n" }, ["lines\n"]] },
  "/nil" => ->(_) {},
  "/string-status" => ->(_) { ["666 BEAST", { TYPE => "text/plain" }, ["text\n"]] },
  "/too-long" => ->(_) { [200, { TYPE => "text/plain", "content-length" => "3" }, ["toolong\n"]] },
  "/too-short" => ->(_) { [200, { TYPE => "text/plain", "content-length" => "30" }, ["short\n"]] },
  "/head-body" => ->(_) { [204, { "content-length" => "5" }, ["body\n"]] },
  # A child without exec, which holds a copy of the connection.
  "/child" => lambda { |_|
    child = fork { sleep 30 }
    Process.detach(child)
    [200, { TYPE => "text/plain" }, ["child #{child}\n"]]
  },
  "/exit" => ->(_) { exit 3 },
}.freeze

run(lambda { |env|
  rough = ROUGH[env["PATH_INFO"]]
  rough ? rough.call(env) : linted.call(env)
})
