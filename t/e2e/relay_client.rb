# frozen_string_literal: true

# An editor whose workers die: relay_client.rb CASE REFORKCTL-COMMAND...; it says
# what it has seen.
require "timeout"
require_relative "lsp"

CASE, *COMMAND = ARGV
WAIT = File.join(ENV.fetch("DIR"), "go")

class Editor < LanguageClient
  def begin
    request("initialize", capabilities: {})
    notify("initialized")
    notify("textDocument/didOpen", textDocument: { uri: "u", languageId: "ruby", version: 1, text: "old" })
    await { |message| message["method"] == "workspace/configuration" }
  end

  def edit(text)
    notify("textDocument/didChange", textDocument: { uri: "u", version: 2 }, contentChanges: [{ text: text }])
  end

  def hover(params = {})
    request("textDocument/hover", params)
  end

  def worker = hover["pid"]

  def kill_worker
    Process.kill(:KILL, worker)
  end

  def leave
    request("shutdown")
    notify("exit")
    puts "status #{status}"
  end
end

def check(name, is)
  puts "#{is ? "yes" : "NO"}: #{name}"
end

Timeout.timeout(60) do
  editor = Editor.new(COMMAND)
  editor.begin unless CASE == "frames"
  case CASE
  when "death"
    editor.edit("new \u{1f600}")
    first = editor.worker
    hover = editor.ask("textDocument/hover", wait: WAIT)
    hang = editor.ask("x/hang")
    check "the worker is busy", editor.await { |message| message["method"] == "x/waits" }.dig("params", "pid") == first
    Process.kill(:KILL, first)
    File.write(WAIT, "")
    check "what may have had an effect is refused", editor.answer(hang).dig("error", "code") == -32_802
    answer = editor.result(hover)
    check "hover is asked again", answer["pid"] != first
    check "the edited document is there", answer["texts"] == { "u" => "new \u{1f600}" }
    check "the editor is asked once", editor.heard.count { |message| message["method"] == "client/registerCapability" } == 1
    editor.leave
  when "generation"
    first = editor.worker
    system(*COMMAND[0, 3], "reload", out: :err) or abort "no reload"
    sleep 0.01 while editor.worker == first
    check "another worker, and nothing was lost", editor.hover["texts"] == { "u" => "old" }
    check "the older one ends", Timeout.timeout(20) { sleep 0.01 while File.exist?("/proc/#{first}") } || true
    editor.leave
  when "limit"
    2.times { editor.kill_worker }
    last = editor.worker
    hang = editor.ask("x/hang")
    editor.await { |message| message["method"] == "x/hangs" }
    Process.kill(:KILL, last)
    check "what is asked is answered", editor.answer(hang)["error"]
    puts "status #{editor.status}"
  when "garbage"
    first = editor.worker
    editor.notify("x/garbage")
    check "a worker that speaks no LSP is replaced", Timeout.timeout(20) { sleep 0.01 while editor.worker == first } || true
    editor.send_bytes("Content-Length: 3\r\n\r\n{{{")
    check "broken JSON is refused", editor.await { |message| message["id"].nil? && message["error"] }.dig("error", "code") == -32_700
    editor.notify("textDocument/didClose", textDocument: { uri: "nowhere" })
    check "and the session goes on", editor.hover["texts"] == { "u" => "old" }
    editor.notify("exit")
    puts "status #{editor.status}"
  when "frames"
    editor.send_bytes("Content-Length: 99999999999\r\n\r\n")
    puts "status #{editor.status}"
  when "end"
    puts "status #{editor.close}"
  when "killed"
    puts "worker #{editor.worker}"
    Process.kill(:KILL, editor.pid)
  end
end
