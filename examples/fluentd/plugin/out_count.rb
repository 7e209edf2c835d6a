# frozen_string_literal: true

require "fluent/plugin/output"

# Counts lines: for `reforkctl status`, and into a file when it is named.
class CountOutput < Fluent::Plugin::Output
  Fluent::Plugin.register_output("count", self)
  config_param :path, :string, default: ""

  def multi_workers_ready? = true

  def start
    super
    @lock = Mutex.new
    @lines = path.empty? || !File.exist?(path) ? 0 : File.read(path).to_i
  end

  def process(_tag, lines)
    count = lines.size
    @lock.synchronize do
      @lines += count
      File.write(path, "#{@lines}\n") unless path.empty?
    end
    Hosted.worker.done(count)
  end
end
