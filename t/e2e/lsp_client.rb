# frozen_string_literal: true

# A language client over pipes, as an editor is one: starts CMD in the current
# directory, opens a file, asks for symbols, and ends the session as it should.
# lsp_client.rb FILE SYMBOL CMD...
# With GO in the environment it edits, waits for that file, and asks once more.
require "timeout"
require_relative "lsp"

FILE, SYMBOL, *COMMAND = ARGV

began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
Timeout.timeout(120) do
  client = LanguageClient.new(COMMAND)
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
  if ENV["GO"]
    place = { line: 1, character: 6 }
    client.notify("textDocument/didChange", textDocument: { uri: uri, version: 2 },
      contentChanges: [{ range: { start: place, end: { line: 1, character: 11 } }, text: "gl\u{1f4a1}w" }])
    puts "edited"
    $stdout.flush
    sleep 0.01 until File.exist?(ENV["GO"])
    symbols = client.request("textDocument/documentSymbol", textDocument: { uri: uri })
    puts "again #{symbols.flat_map { |symbol| [symbol, *symbol["children"]] }.map { |symbol| symbol["name"] }.join(" ")}"
    hover = client.request("textDocument/hover", textDocument: { uri: uri }, position: { line: 5, character: 2 })
    puts "hover #{hover.to_s[/lighthouse.rb/]}"
  end
  client.request("shutdown")
  client.notify("exit")
  puts "status #{client.close}"
end
