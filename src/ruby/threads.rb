# frozen_string_literal: true

# May this process fork a mold now? What ruby/threads.c asks.
module Reforkd
  @prevented = []
  @no_longer_fork_safe = nil

  class << self
    attr_accessor :no_longer_fork_safe # where it was said

    # While the block runs, in any thread, this worker is not promoted.
    def prevent_fork(place = caller_locations(1, 1)&.first)
      held = [place ? "#{place.path}:#{place.lineno}" : "?"]
      @prevented << held
      yield
    ensure
      @prevented.delete_if { |other| other.equal?(held) }
    end

    # [refusals, threads let through], each a list of texts.
    def fork_safety
      refused = @prevented.map { |held| "inside Reforkd.prevent_fork at #{held[0]}" }
      refused << "Info.no_longer_fork_safe! at #{@no_longer_fork_safe}" if @no_longer_fork_safe
      passed = []
      Thread.list.each do |thread|
        next if thread == Thread.main || !thread.alive?
        next passed << "#{thread_text(thread)} is marked fork_safe" if thread.thread_variable_get(:fork_safe)
        next passed << "#{thread_text(thread)} is asleep" if thread.status == "sleep"

        refused << "#{thread_text(thread)} is running"
      end
      [refused, passed]
    end

    private

    def thread_text(thread)
      place = thread.inspect[/(\S+:\d+) [a-z_ ]+>\z/, 1] || "an unknown place"
      name = thread.name
      name ? "thread #{name.inspect} started at #{place}" : "thread started at #{place}"
    end
  end
end
