# frozen_string_literal: true

# Workers that clients lease: what the file says of them, and what the block of
# `worker` is given.
module Reforkd
  class << self
    attr_accessor :state # what boot has made, or the last promotion

    # In a leased worker, on its main thread: a copy of this process becomes the
    # next mold, and what the block returns there is the state of later workers.
    # True when the copy was made, false when not; the log says why.
    def promote
      raise ArgumentError, "Reforkd.promote needs a block that returns the state" unless block_given?
      raise "Reforkd.promote is for leased workers" unless respond_to?(:promotion_ask)
      raise ThreadError, "Reforkd.promote is for the main thread" unless Thread.current == Thread.main

      copy = promotion_ask
      return copy.nil? unless copy

      Reforkd.state = yield
      throw :reforkd_promoted, -1
    end
  end

  # One client's lease, in the worker that it has got. Its descriptors are
  # $stdin, $stdout and $stderr already, its arguments ARGV, its directory ours.
  class Lease
    attr_reader :id, :fields, :arguments, :environment, :generation

    def initialize(id, fields, arguments, environment, generation)
      @id = id
      @fields = fields.freeze
      @arguments = arguments.freeze
      @environment = environment.freeze
      @generation = generation
    end

    # A field of LEASE: lease[:root]; nil when the client has not sent it.
    def [](name)
      @fields[name.to_s]
    end

    %w[pool key tag arg].each { |name| define_method(name) { @fields[name] } }

    def inspect
      "#<#{self.class} #{id} #{fields}>"
    end
  end

  class Config
    # Of the client's environment, unless the file says otherwise.
    LEASE_ENVIRONMENT = %w[TERM COLORTERM NO_COLOR LANG LANGUAGE LC_* TZ COLUMNS LINES].freeze

    def spare(count)
      lease_seen(:spare)
      @set[:spare] = whole(:spare, count)
    end

    def max(count)
      lease_seen(:max)
      @set[:max] = whole(:max, count)
    end

    def release_timeout(value)
      lease_seen(:release_timeout)
      @set[:release_timeout] = seconds(:release_timeout, value)
    end

    def lease_socket(path)
      lease_seen(:lease_socket)
      @set[:lease_socket] = text(:lease_socket, path)
    end

    # Names of variables; "LC_*" is all that begin so.
    def lease_environment(*names)
      lease_seen(:lease_environment)
      names = names.flatten
      names.each do |name|
        next if name.is_a?(String) && name.match?(/\A[A-Za-z_][A-Za-z0-9_]*\*?\z|\A\*\z/)

        complain("lease_environment: #{name.inspect} is no name of a variable", 'write "LANG", "LC_*" or "*"')
      end
      @set[:lease_environment] = names
    end

    def boot(&block)
      lease_seen(:boot)
      @set[:boot] = block
    end

    # What each worker runs once, when it is leased.
    def worker(&block)
      lease_seen(:worker)
      complain("worker has no block", "write worker { |lease, state| ... }") unless block
      @set[:worker] = block
    end

    # What session.c calls: the status to leave with. tail, args: "name=value" NUL.
    def lease_run(id, tail, args, generation)
      before = ENV.to_h
      lease = lease_make(id, tail, args, generation)
      ARGV.replace(lease.arguments)
      status = catch(:reforkd_promoted) do
        @set[:worker].call(*[lease, Reforkd.state].first(lease_arity))
        0
      end
      lease_put_down(before) if status == -1
      status
    rescue SystemExit, SignalException
      raise
    rescue Exception => error
      lease_report(error)
      1
    end

    private

    # None of these is unicorn's or pitchfork's.
    def lease_seen(name)
      seen(name)
      @families << [:native, name]
    end

    def lease_arity
      arity = @set[:worker].arity
      @set[:worker].lambda? && arity >= 0 ? arity : 2
    end

    def lease_make(id, tail, args, generation)
      fields = lease_pairs(tail).to_h
      words = lease_pairs(args)
      arguments = words.filter_map { |name, value| value if name == "arg" }
      environment = words.filter_map { |name, value| lease_variable(value) if name == "env" }.to_h
      lease_environment_take(environment) if words.any?
      Lease.new(id, fields, arguments, environment, generation)
    end

    def lease_pairs(text)
      text.split("\0").filter_map do |pair|
        name, value = pair.split("=", 2)
        [name, value.force_encoding(Encoding.default_external)] if value
      end
    end

    # Any bytes: an environment need not be text in our encoding.
    def lease_variable(pair)
      name, value = pair.b.split("=", 2)
      [name, value].each { |word| word.force_encoding(Encoding.default_external) } if value && !name.empty?
    end

    # What is listed is the client's, also when it has none.
    def lease_environment_take(environment)
      patterns = @set.fetch(:lease_environment, LEASE_ENVIRONMENT)
      (ENV.keys | environment.keys).each do |name|
        ENV[name] = environment[name] if patterns.any? { |pattern| File.fnmatch(pattern, name) }
      end
    end

    # The copy that becomes a mold is nobody's.
    def lease_put_down(environment)
      ENV.replace(environment)
      ARGV.clear
    end

    # As Ruby says of an exception that nobody has caught.
    def lease_report(error)
      places = Array(error.backtrace).reject { |line| line.start_with?("<reforkd>") }
      error.set_backtrace(places) unless places.empty?
      $stderr.write(error.full_message(highlight: $stderr.tty?))
    rescue SystemCallError, IOError
      nil # nobody reads it any more
    end
  end
end
