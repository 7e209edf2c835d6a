# frozen_string_literal: true

# A language client over pipes, as an editor is one: starts CMD in the current
# directory, opens a file, asks for symbols, and ends the session as it should.
# lsp_client.rb FILE SYMBOL CMD...
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
  client.request("shutdown")
  client.notify("exit")
  puts "status #{client.close}"
end
