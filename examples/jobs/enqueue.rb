# frozen_string_literal: true

# enqueue.rb FIRST LAST [SECONDS]: a job for each number.

require_relative "jobs"

first, last = ARGV.first(2).map(&:to_i)
(first..last).each { |n| Resque.enqueue(Greeting, "number #{n}", ARGV.fetch(2, 0).to_f) }
