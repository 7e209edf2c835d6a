# frozen_string_literal: true

# The language server protocol as an editor speaks it, over pipes.
require "json"
require "open3"

class LanguageClient
  attr_reader :pid, :heard

  def initialize(command, **options)
    @in, @out, @wait = Open3.popen2(*command, **options)
    @pid = @wait.pid
    @in.binmode
    @out.binmode
    @id = 0
    @heard = [] # what the server has said or asked meanwhile
  end

  def notify(method, params = {})
    send_message(method: method, params: params)
  end

  # The result; what the server asks meanwhile is answered with null.
  def request(method, params = {})
    result(ask(method, params))
  end

  def ask(method, params = {})
    send_message(id: @id += 1, method: method, params: params)
    @id
  end

  def result(id)
    answer = answer(id)
    answer.fetch("result") { raise answer["error"].to_s }
  end

  def answer(id)
    await { |message| message["id"] == id && !message["method"] }
  end

  # The first message that the block wants.
  def await
    loop do
      message = receive
      return message if yield message

      @heard << message
      send_message(id: message["id"], result: nil) if message["id"] && message["method"]
    end
  end

  def close
    @in.close unless @in.closed?
    status
  end

  def status
    @wait.value.exitstatus
  end

  def send_bytes(bytes)
    @in.write(bytes)
    @in.flush
  end

  private

  def send_message(message)
    text = JSON.generate({ jsonrpc: "2.0" }.merge(message))
    send_bytes("Content-Length: #{text.bytesize}\r\n\r\n#{text}")
  end

  def receive
    header = @out.gets("\r\n\r\n") or raise "the server has closed its output"
    JSON.parse(@out.read(Integer(header[/Content-Length: (\d+)/i, 1])))
  end
end
