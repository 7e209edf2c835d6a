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
