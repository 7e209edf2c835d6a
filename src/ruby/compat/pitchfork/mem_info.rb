# frozen_string_literal: true

return if Reforkd::Compat.theirs("pitchfork/mem_info")

module Pitchfork
  # A process's memory in kB, from smaps_rollup.
  class MemInfo
    attr_reader :rss, :pss, :shared_memory

    def initialize(pid)
      @pid = pid
      update
    end

    def cow_efficiency(parent)
      shared_memory.to_f / parent.rss * 100
    end

    def update
      lines = File.readlines("/proc/#{@pid}/smaps_rollup").drop(1)
      sizes = lines.to_h { |line| line.split.then { |name, kb| [name, kb.to_i] } }
      @rss = sizes.fetch("Rss:")
      @pss = sizes.fetch("Pss:")
      @shared_memory = sizes.fetch("Shared_Clean:") + sizes.fetch("Shared_Dirty:")
    end
  end
end
