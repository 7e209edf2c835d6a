# frozen_string_literal: true

# A callback of the master's runs on the mold's main thread, which forks workers
# as well: at its limit it is interrupted where it is.
module Reforkd
  # Not a StandardError: a loop that rescues those would swallow it.
  class HookTimeout < Exception; end

  # The thread that waits is gone before this returns, so that no fork meets it.
  def self.within(seconds, what)
    main = Thread.current
    Thread.handle_interrupt(HookTimeout => :never) do
      watcher = Thread.new do
        Thread.current.report_on_exception = false
        sleep seconds
        main.raise(HookTimeout, "#{what} has not returned in #{seconds} s and was interrupted (hook_timeout)")
      end
      begin
        Thread.handle_interrupt(HookTimeout => :immediate) { yield }
      ensure
        watcher.kill
        watcher.join
      end
    end
  end

  class Config
    # Where a callback stands in its file, "" when it is not set.
    def hook_place(name)
      hook = @set[name]
      return "" unless hook

      place = hook.respond_to?(:source_location) && hook.source_location
      place ? place.join(":") : @places[name].to_s
    end

    # run_hook for the master.
    def run_hook_within(seconds, name, *arguments)
      Reforkd.within(seconds, "#{name} (#{hook_place(name)})") { run_hook(name, *arguments) }
    end

    # A line of the master's for the file's logger.
    def log_within(seconds, severity, text)
      return false unless (logger = own_logger)

      method = %i[debug info warn error fatal].fetch(severity)
      Reforkd.within(seconds, "the logger") { logger.public_send(method, text) }
      true
    end
  end
end
