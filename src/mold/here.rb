# frozen_string_literal: true

require "fcntl"

# server.listen in a worker's callback: a listener of that worker's own. The next
# worker of its slot binds it while this one still serves: hence SO_REUSEPORT.
module Reforkd
  class Config
    def listen_here(address, options = {})
      address = expand_address(address)
      @here ||= {}
      return if @here.key?(address)

      @here[address] = tried_here(address, options)
      (own_logger || default_logger).info("listening on addr=#{address} fd=#{@here[address].fileno}")
    end

    def listener_opts
      @listeners_wanted.to_h do |address, options|
        [address, options.scan(/\t(\w+)=(-?\d+)/).to_h { |key, value| [key.to_sym, value.to_i] }]
      end
    end

    def fds_here
      (@here || {}).values.map(&:fileno)
    end

    def names_here
      (@here || {}).keys
    end

    # In a mold that was this worker.
    def drop_here
      @here&.each_value(&:close)
      @here = nil
    end

    private

    def tried_here(address, options)
      tries = options.fetch(:tries, 5)
      begin
        bind_here(address, options)
      rescue Errno::EADDRINUSE
        raise if tries.zero?

        (own_logger || default_logger).warn("adding listener failed addr=#{address} (in use)")
        tries -= 1
        sleep options.fetch(:delay, 0.5)
        retry
      end
    end

    def bind_here(address, options)
      socket = address.start_with?("/") ? unix_here(address, options) : tcp_here(address, options)
      socket.listen(options.fetch(:backlog, 1024))
      socket.fcntl(Fcntl::F_SETFL, socket.fcntl(Fcntl::F_GETFL) | File::NONBLOCK)
      socket
    end

    def tcp_here(address, options)
      info = Addrinfo.tcp(*address.match(/\A\[?(.+?)\]?:(\d+)\z/).captures)
      socket = Socket.new(info.afamily, Socket::SOCK_STREAM, 0)
      %i[REUSEADDR REUSEPORT KEEPALIVE].each { |name| socket.setsockopt(:SOCKET, name, true) }
      socket.setsockopt(:TCP, :NODELAY, options.fetch(:tcp_nodelay, true))
      socket.setsockopt(:TCP, :CORK, true) if options[:tcp_nopush]
      socket.setsockopt(:SOCKET, :RCVBUF, options[:rcvbuf]) if options[:rcvbuf]
      socket.setsockopt(:SOCKET, :SNDBUF, options[:sndbuf]) if options[:sndbuf]
      socket.bind(info)
      socket
    end

    # A path cannot be bound twice: the new socket takes it over at once.
    def unix_here(path, options)
      complain("socket=#{path} specified but it is not a socket!") if File.exist?(path) && !File.socket?(path)
      fresh = "#{path}.#{Process.pid}"
      socket = Socket.new(:UNIX, :STREAM, 0)
      was = File.umask(options.fetch(:umask, 0))
      begin
        socket.bind(Addrinfo.unix(fresh))
      ensure
        File.umask(was)
      end
      File.rename(fresh, path)
      socket
    end
  end
end
