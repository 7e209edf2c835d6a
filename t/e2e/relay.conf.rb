# A language server of a page: it knows documents whole, hovers with its pid and
# the text, and does what x/METHOD says.
class Server
  def initialize
    [$stdin, $stdout].each(&:binmode)
    @texts = {}
  end

  def run
    while (header = $stdin.gets("\r\n\r\n"))
      hear(JSON.parse($stdin.read(Integer(header[/Content-Length: (\d+)/, 1]))))
    end
    exit 4
  end

  private

  def say(message)
    text = JSON.generate({ jsonrpc: "2.0" }.merge(message))
    $stdout.write("Content-Length: #{text.bytesize}\r\n\r\n#{text}")
    $stdout.flush
  end

  def hear(message)
    params = message["params"]
    case message["method"]
    when "initialize" then answer(message, capabilities: { hoverProvider: true, textDocumentSync: 1 })
    when "initialized"
      say(id: 1, method: "client/registerCapability", params: { registrations: [{ id: "w", method: "watch" }] })
      say(id: 2, method: "workspace/configuration", params: { items: [] })
    when "textDocument/didOpen" then @texts[params["textDocument"]["uri"]] = params["textDocument"]["text"]
    when "textDocument/didChange" then @texts[params["textDocument"]["uri"]] = params["contentChanges"].last["text"]
    when "textDocument/hover"
      if params["wait"]
        say(method: "x/waits", params: { pid: Process.pid })
        sleep 0.01 until File.exist?(params["wait"])
      end
      answer(message, pid: Process.pid, texts: @texts)
    when "x/grow" then answer(message, (@kept = "x" * 100_000_000).size)
    when "x/hang" then say(method: "x/hangs")
    when "x/garbage"
      $stdout.write("puts of somebody's\r\n\r\n")
      $stdout.flush
    when "shutdown" then @shutdown = answer(message, nil)
    when "exit" then exit(@shutdown ? 0 : 1)
    when %r{\A\$/} then say(id: message["id"], error: { code: -32_601, message: "not found" })
    end
  end

  def answer(message, result)
    say(id: message["id"], result: result)
    true
  end
end

timeout 5
spare 2
max 8
release_timeout 1
drain_timeout 60
boot { require "json" }
worker { Server.new.run }
