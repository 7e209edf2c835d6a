# frozen_string_literal: true

# A job: it writes down that it greeted somebody, after SECONDS of thought.
class Greeting
  @queue = :default

  def self.perform(name, seconds = 0)
    sleep(seconds)
    Resque.redis.rpush("greeted", name)
  end

  # Resque's way to try again: here whatever was cut off, nothing that raised.
  def self.on_failure_again(error, *arguments)
    Resque.enqueue(self, *arguments) if error.is_a?(Resque::DirtyExit)
  end
end
