# frozen_string_literal: true

# An editor for Steep, in a project of the tests: steep_client.rb CASE CMD...
# prints what a test compares, and saves what it has edited.
require "timeout"
require_relative "steep_editor"
require_relative "../../contrib/ruby/reforkd/client"

CASE, *COMMAND = ARGV

# Asks for new workers; calls the block until they are there.
def refork(editor)
  count = editor.heard("$/reforkd/reforked") + 1
  editor.notify("$/reforkd/refork")
  while editor.heard("$/reforkd/reforked") < count
    yield if block_given?
    editor.waiting? ? editor.receive : sleep(0.005)
  end
end

# How many workers have been leased of the server.
def leased
  @pool ||= Reforkd::Client.open(config: ENV.fetch("CONF"))
  Integer(@pool.stat["leased"])
end

def until_leased(count)
  until leased == count
    yield if block_given?
    sleep 0.02
  end
end

# What is wrong in these files, as steep.sh has made them.
def expected(editor)
  text = editor.text("sig/m1.rbs").include?("value: () -> String")
  (1..6).flat_map do |i|
    path = "lib/m#{i}.rb"
    value, other = %w[value other].map { |name| editor.text(path).lines.index("  def #{name}\n") + 1 }
    mine = []
    mine << "#{path}:#{value} Ruby::MethodBodyTypeMismatch" if i == 3 || (i == 1 && text)
    mine << "#{path}:#{other} Ruby::MethodBodyTypeMismatch" << "#{path}:#{other + 1} Ruby::ArgumentTypeMismatch" if text
    mine
  end.sort
end

editor = Editor.new(COMMAND)
Timeout.timeout(100) do
  editor.start
  case CASE
  when "session"
    puts "first", editor.check
    editor.open("lib/m3.rb")
    editor.edit("lib/m3.rb", '"text"', "3")
    editor.hear("textDocument/publishDiagnostics") { editor.diagnostics["lib/m3.rb"] == [] }
    puts "an edit repairs it"
    editor.edit("sig/m1.rbs", "value: () -> Integer", "value: () -> String")
    puts "a signature", editor.check
    puts "status #{editor.shut_down}"
  when "refork"
    # Each round: a check is queued and a change buffered when the copy is asked
    # for, and edits go on until the workers have been replaced.
    puts "first", editor.check
    Integer(ENV.fetch("ROUNDS", 2)).times do |round|
      types = %w[Integer String].rotate(round)
      editor.ask("$/steep/typecheck", editor.check_params)
      editor.edit("sig/m1.rbs", "value: () -> #{types[0]}", "value: () -> #{types[1]}")
      edits = 0
      refork(editor) do
        editor.edit("lib/m#{edits % 6 + 1}.rb", "class", "# #{edits += 1}\nclass")
      end
      found, wanted = editor.check, expected(editor)
      puts found == wanted ? "round #{round} is right" : ["round #{round}, found", found, "wanted", wanted]
    end
    # What the Steepfile says now is for sessions to come.
    steepfile = File.read("Steepfile")
    File.write("Steepfile", steepfile.sub(":app", ":other"))
    refork(editor)
    puts "the Steepfile is #{editor.check == expected(editor) ? "as it was" : "another"}"
    until_leased(0) { editor.notify("$/reforkd/release") }
    puts "released, and it is #{editor.check == expected(editor) ? "as it was" : "another"}"
    File.write("Steepfile", steepfile)
    editor.ask("$/steep/typecheck", editor.check_params)
    puts "status #{editor.shut_down}"
  when "rest"
    # Edits are made while nobody is there, several of one file; each worker that
    # has work is leased again, and no other.
    puts "first", editor.check
    until_leased(0)
    3.times { |i| editor.edit("lib/m3.rb", "class", "# #{i}\nclass") }
    editor.edit("lib/m4.rb", "    4\n", "    'text'\n")
    editor.receive until editor.diagnostics.values.flatten.sort == expected(editor) + ["lib/m4.rb:2 Ruby::MethodBodyTypeMismatch"]
    puts "edits, workers: #{leased > 2 ? leased : "those of two files at most"}"
    editor.edit("lib/m4.rb", "    'text'\n", "    4\n")
    until_leased(0)
    editor.edit("sig/m1.rbs", "value: () -> Integer", "value: () -> String")
    found, wanted = editor.check, expected(editor)
    puts found == wanted ? "a signature is known to all" : ["found", found, "wanted", wanted]
    until_leased(0)
    position = { line: editor.text("lib/m2.rb").lines.index("    M1.new.value + 2\n"), character: 12 }
    place = { textDocument: { uri: editor.uri("lib/m2.rb") }, position: position }
    puts "hover: #{editor.request("textDocument/hover", place)["contents"]["value"][/String/]}"
    puts "definition: #{File.basename(editor.request("textDocument/definition", place)[0]["uri"])}"
    until_leased(0)
    puts "status #{editor.shut_down}"
  when "two"
    # What one has not saved is not the other's, though their workers are copies
    # of the same one.
    other = Editor.new(COMMAND)
    other.start
    other.edit("lib/m3.rb", '"text"', "3")
    editor.edit("lib/m4.rb", "    4\n", "    'text'\n")
    editor.check
    refork(editor)
    other.hear("$/reforkd/reforked", 1)
    puts "the one", editor.check, "the other", other.check
    [editor, other].each { |one| one.ask("$/steep/typecheck", one.check_params) }
    [editor, other].each { |one| Process.kill(:KILL, one.pid) }
  else abort "no case #{CASE}"
  end
end
