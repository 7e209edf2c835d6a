# frozen_string_literal: true

require "fileutils"

# Counts the words of each file of a folder into a file of the same name. A
# result appears complete or not at all, so that whoever begins again, after a
# failure or tomorrow, goes on with the first file that has none.
class Batch
  def initialize(input:, output:)
    @input = input
    @output = output
    FileUtils.mkdir_p(output)
    @names = Dir.children(input).select { |name| File.file?(File.join(input, name)) }.sort
  end

  # Every PARTS-th file is this process's; between two it may be told to stop.
  def work(worker, parts)
    mine = @names.each_index.select { |i| i % parts == worker.nr }
    mine.each do |i|
      return unless worker.running?
      next if File.exist?(File.join(@output, @names[i]))

      count(@names[i])
      worker.done
    end
    warn "part #{worker.nr}: #{mine.size} files are done"
  end

  private

  def count(name)
    words = File.read(File.join(@input, name), encoding: "UTF-8").scan(/\p{L}+/).tally
    text = words.sort_by { |word, n| [-n, word] }.map { |word, n| "#{n} #{word}\n" }.join
    whole = File.join(@output, ".#{name}.#{Process.pid}")
    File.write(whole, text)
    File.rename(whole, File.join(@output, name))
  end
end
