# frozen_string_literal: true

# rack.rb - the few objects of the Rack side that are better said in Ruby.

require "stringio"
require "socket"

module Reforkd
  # The body of a request without one. All such requests share it, so nothing
  # that one of them does may be seen by the next.
  class NoInput < StringIO
    def initialize
      super(String.new(encoding: Encoding::BINARY), "rb")
    end

    def close = nil
    alias close_read close
    alias close_write close

    def reopen(*) = self

    def string = String.new(encoding: Encoding::BINARY)

    def set_encoding(*) = self
    def ungetc(*) = nil
    def ungetbyte(*) = nil
    alias binmode itself
  end

  # The client ended its connection in the middle of a body.
  class ClientShutdown < EOFError; end

  # A body that breaks the protocol, or its limits: answered with its own status.
  class BadBody < IOError; end

  # rewindable_input false: what has arrived is read once, what has not is waited for.
  class StreamInput
    def initialize(reader)
      @reader = reader
      @held = String.new(encoding: Encoding::BINARY)
    end

    def read(length = nil, buffer = nil)
      raise ArgumentError, "negative length #{length} given" if length&.negative?

      nil while (length.nil? || @held.bytesize < length) && more
      text = length ? @held.slice!(0, length) : @held.slice!(0..)
      buffer&.replace(text)
      return nil if text.empty? && length&.positive?

      buffer || text
    end

    def gets
      at = 0
      until (found = @held.index("\n", at))
        at = @held.bytesize
        break unless more
      end
      line = found ? @held.slice!(0..found) : @held.slice!(0..)
      line unless line.empty?
    end

    def each
      while (line = gets)
        yield line
      end
      self
    end

    def close = nil

    # To whoever hijacks the connection: what was received and not read.
    def give_back = @held.slice!(0..)

    private

    def more
      chunk = @reader.more
      @held << chunk if chunk
    end
  end

  # A client's connection as a real socket of Ruby's. What was read too early is
  # given back by IO's own buffer.
  def self.socket_from(fd, is_unix, early)
    io = (is_unix ? UNIXSocket : TCPSocket).for_fd(fd)
    io.sync = true
    io.ungetbyte(early) unless early.empty?
    io
  end

  # rack.response_finished and rack.after_reply are one Array: the first one's
  # callables take four arguments, the second one's none.
  def self.finished(callable, env, status, headers, error)
    arity = callable.respond_to?(:arity) ? callable.arity : callable.method(:call).arity
    arity.zero? ? callable.call : callable.call(env, status, headers, error)
  end
end
