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

  # Another one has taken over from this one, which ends.
  def replaced(first)
    Timeout.timeout(20) { sleep 0.01 while worker == first }
    Timeout.timeout(20) { sleep 0.01 while File.exist?("/proc/#{first}") }
    true
  end

  def leave
    request("shutdown")
    notify("exit")
    puts "status #{status}"
  end
end

def reload
  system(*COMMAND[0, 3], "reload", out: :err) or abort "no reload"
end

def ready
  puts "ready"
  $stdout.flush
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
    reload
    check "another worker", editor.replaced(first)
    check "nothing was lost", editor.hover["texts"] == { "u" => "old" }
    editor.leave
  when "drain"
    editor.edit("new")
    [["key :root", "key :root, :lock"], ["key :root, :lock", "key :root"]].each do |old, new|
      first = editor.worker
      File.write(COMMAND[2], File.read(COMMAND[2]).sub(/^#{old}$/, new))
      reload
      check "a pool with another key", editor.replaced(first)
    end
    check "nothing was lost", editor.hover["texts"] == { "u" => "new" }
    editor.leave
  when "grow"
    editor.edit("new")
    first = editor.worker
    editor.request("x/grow")
    check "a worker within its limit", editor.replaced(first)
    check "nothing was lost", editor.hover["texts"] == { "u" => "new" }
    editor.leave
  when "restart"
    first = editor.worker
    reload
    check "a generation that the next server does not have", editor.replaced(first)
    first = editor.worker
    ready
    check "another server's worker", editor.replaced(first)
    check "nothing was lost", editor.hover["texts"] == { "u" => "old" }
    editor.leave
  when "stopped"
    other = Editor.new(COMMAND)
    other.begin
    both = [editor, other]
    hangs = both.map { |one| one.ask("x/hang") }
    both.each { |one| one.await { |message| message["method"] == "x/hangs" } }
    ready
    refused = both.zip(hangs).map { |one, hang| one.answer(hang).dig("error", "code") }
    check "what may have had an effect is refused", refused == [-32_802] * 2
    hover = editor.ask("textDocument/hover")
    check "one that shuts down is not kept waiting", other.request("shutdown").nil? && other.status == 69
    check "what is asked is answered", editor.answer(hover)["error"]
    puts "status #{editor.status}"
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
