# frozen_string_literal: true

# A language client over pipes, as an editor is one: starts CMD in the current
# directory, opens a file, asks for symbols, and ends the session as it should.
# lsp_client.rb FILE SYMBOL CMD...
# Required, it is the client only.
require "json"
require "open3"
require "timeout"

class Client
  def initialize(command, **options)
    @in, @out, @wait = Open3.popen2(*command, **options)
    @in.binmode
    @out.binmode
    @id = 0
  end

  def notify(method, params = {})
    send_message(method: method, params: params)
  end

  # The result; what the server says or asks meanwhile is answered with null.
  def request(method, params = {})
    id = @id += 1
    send_message(id: id, method: method, params: params)
    loop do
      message = receive
      return message.fetch("result") { raise "#{method}: #{message["error"]}" } if message["id"] == id && !message["method"]

      send_message(id: message["id"], result: nil) if message["id"] && message["method"]
    end
  end

  def pid = @wait.pid

  def close
    @in.close
    @wait.value.exitstatus
  end

  private

  def send_message(message)
    text = JSON.generate({ jsonrpc: "2.0" }.merge(message))
    @in.write("Content-Length: #{text.bytesize}\r\n\r\n#{text}")
    @in.flush
  end

  def receive
    header = @out.gets("\r\n\r\n") or raise "the server has closed its output"
    JSON.parse(@out.read(Integer(header[/Content-Length: (\d+)/i, 1])))
  end
end

return unless $PROGRAM_NAME == __FILE__

FILE, SYMBOL, *COMMAND = ARGV
began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
Timeout.timeout(120) do
  client = Client.new(COMMAND)
  root = "file://#{Dir.pwd}"
  result = client.request("initialize", processId: Process.pid, rootUri: root, workspaceFolders: [{ uri: root, name: "x" }], capabilities: {})
  puts "server #{result.dig("serverInfo", "name")}"
  client.notify("initialized")
  uri = "file://#{File.expand_path(FILE)}"
  client.notify("textDocument/didOpen", textDocument: { uri: uri, languageId: "ruby", version: 1, text: File.read(FILE) })
  symbols = client.request("textDocument/documentSymbol", textDocument: { uri: uri })
  puts "document #{symbols.map { |symbol| symbol["name"] }.join(" ")}"
  puts format("answered in %.2f s", Process.clock_gettime(Process::CLOCK_MONOTONIC) - began)
  found = client.request("workspace/symbol", query: SYMBOL)
  puts "workspace #{found.map { |symbol| symbol["name"] }.include?(SYMBOL)}"
  client.request("shutdown")
  client.notify("exit")
  puts "status #{client.close}"
end
