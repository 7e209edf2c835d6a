# frozen_string_literal: true

require "io/wait"
require "json"
require "open3"

# A language client for Steep over pipes, in the current directory.
class Editor
  attr_reader :diagnostics, :pid

  # What a full check is of: the files of one target, by globs.
  def initialize(command, target: "app", code: "lib/*.rb", signatures: "sig/*.rbs", without: /\0/)
    @target = target
    @globs = [code, signatures]
    @without = without
    @in, @out, @wait = Open3.popen2(*command, pgroup: true)
    [@in, @out].each(&:binmode)
    @pid = @wait.pid
    @id = 0
    @texts = {}
    @diagnostics = {}
    @counts = Hash.new(0)
  end

  def uri(path) = "file://#{File.expand_path(path)}"

  def notify(method, params = nil)
    send_message(method: method, params: params)
  end

  def ask(method, params = nil)
    send_message(id: @id += 1, method: method, params: params)
    @id
  end

  def request(method, params = nil)
    id = ask(method, params)
    loop do
      message = receive
      return message["result"] if message["id"] == id && !message["method"]
    end
  end

  # Reads on until so many of them have come, or the block is true.
  def hear(method, count = nil)
    count ||= @counts[method] + 1
    receive until @counts[method] >= count || (block_given? && yield)
  end

  def heard(method) = @counts[method]

  def waiting? = !@out.wait_readable(0).nil?

  def receive
    header = @out.gets("\r\n\r\n") or raise "the server has closed its output"
    message = JSON.parse(@out.read(Integer(header[/Content-Length: (\d+)/i, 1])))
    @counts[message["method"]] += 1 if message["method"]
    if message["method"] == "textDocument/publishDiagnostics"
      path = message["params"]["uri"].delete_prefix("file://#{Dir.pwd}/")
      @diagnostics[path] = message["params"]["diagnostics"].map { |one| "#{path}:#{one["range"]["start"]["line"] + 1} #{one["code"]}" }.sort
    end
    send_message(id: message["id"], result: nil) if message["id"] && message["method"]
    message
  end

  def start
    request("initialize", processId: Process.pid, rootUri: uri("."), capabilities: { window: { workDoneProgress: false } })
    notify("initialized", {})
  end

  def text(path) = @texts[path] ||= File.read(path)

  def open(path)
    notify("textDocument/didOpen", textDocument: { uri: uri(path), languageId: "ruby", version: 1, text: text(path) })
  end

  # Replaces what is in the file once by something else, as a range.
  def edit(path, from, to)
    before = text(path)
    at = before.index(from) or raise "#{path} has no #{from}"
    @texts[path] = before.sub(from) { to }
    range = [at, at + before[from].size].map do |offset|
      head = before[0, offset]
      { line: head.count("\n"), character: offset - (head.rindex("\n") || -1) - 1 }
    end
    notify("textDocument/didChange", textDocument: { uri: uri(path), version: 2 },
      contentChanges: [{ range: { start: range[0], end: range[1] }, text: to }])
  end

  def check_params
    code, signatures = @globs.map { |glob| Dir[*glob].grep_v(@without).sort.map { |path| [@target, File.expand_path(path)] } }
    { library_paths: [], inline_paths: [], code_paths: code, signature_paths: signatures }
  end

  # All files, now: their diagnostics as lines.
  def check
    @diagnostics.clear
    nil until request("$/steep/typecheck", check_params)["completed"] # an edit's own check supersedes it
    @diagnostics.values.flatten.sort
  end

  def save
    @texts.each { |path, text| File.write(path, text) }
  end

  def shut_down
    request("shutdown")
    notify("exit")
    @in.close
    @wait.value.exitstatus
  end

  private

  def send_message(message)
    text = JSON.generate({ jsonrpc: "2.0" }.merge(message))
    @in.write("Content-Length: #{text.bytesize}\r\n\r\n#{text}")
    @in.flush
  end
end
