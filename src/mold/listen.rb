# frozen_string_literal: true

require "socket"

# The listen directive: every address form of unicorn's, made numeric.
module Reforkd
  class Config
    LISTEN_FLAGS = %i[tcp_nodelay tcp_nopush ipv6only reuseport].freeze
    LISTEN_COUNTS = { backlog: [1, 2**31 - 1], rcvbuf: [1, 2**31 - 1], sndbuf: [1, 2**31 - 1],
      umask: [0, 0o777], tries: [-1, 2**31 - 1], queues: [1, 128], queues_per_worker: [1, 128] }.freeze
    LISTEN_IGNORED = { accept_filter: "it is FreeBSD's" }.freeze
    SOCKETS_MAX = 128

    def listen(address, options = {})
      complain("listen options are #{options.inspect}", "write listen ADDRESS, key: value") unless options.is_a?(Hash)
      wanted = [expand_address(address), listen_options(options), here(caller_locations)]
      @listeners_wanted.reject! { |other,| other == wanted[0] }
      @listeners_wanted << wanted
      count = @listeners_wanted.sum { |_, known| queues_of(known) }
      complain("too many: #{count} listening sockets", "#{SOCKETS_MAX} at most") if count > SOCKETS_MAX
      complain("queues need a TCP address: listen=#{address}", "leave `queues` out") if wanted[0].start_with?("/") && queues_of(wanted[1]) > 1
    end

    def listeners(addresses)
      seen(:listeners)
      complain("not an array: listeners=#{addresses.inspect}") unless addresses.is_a?(Array)
      @listeners_wanted.clear
      addresses.each { |address| listen(address) }
    end

    private

    # A row for each socket: those of one address share its port (SO_REUSEPORT).
    def listen_rows
      @listeners_wanted.flat_map do |address, options, place|
        # A block's clients may wait for its first word.
        options += "\ttcp_defer_accept=0" if @kind == :run && !address.start_with?("/") && !options.include?("\ttcp_defer_accept=")
        rest = "\tplace=".b + printable(place)
        next [[:listen, address.b + options.gsub(/\tqueues\w*=\d+/, "") + rest]] if queues_of(options) == 1

        options += "\tqueues_per_worker=#{queues_of(options) - 1}" unless options.include?("\tqueues_per_worker=")
        Array.new(queues_of(options)) { |i| [:listen, "#{address}#{options}\tqueue=#{i}".b + rest] }
      end
    end

    def queues_of(options)
      (options[/\tqueues=(\d+)/, 1] || 1).to_i
    end

    def expand_address(address)
      address = address.to_s if address.is_a?(Integer)
      complain("not an address: listen=#{address.inspect}", 'a port, "host:port" or a path') unless address.is_a?(String)
      address = address.strip.sub(%r{\Atcp://}, "")
      case address
      when /\Aunix:(.+)\z/, %r{\A([/~].*)\z} then socket_path(File.expand_path($1.sub(%r{\A//+}, "/")))
      when /\A(?:\*?:)?(\d+)\z/ then "0.0.0.0:#{port($1)}"
      when /\A\[([^\]]+)\](?::(\d+))?\z/, /\A([^:\s]+):(\d+)\z/, /\A(\d+\.\d+\.\d+\.\d+)\z/ then numeric($1, $2 || "80")
      else
        complain("don't know how to bind: listen=#{address.inspect}", 'a port, "host:port", "[::]:port" or an absolute path')
      end
    end

    def port(text)
      complain("port #{text} is out of range", "0 to 65535; 0 is any free one") unless (0..65_535).cover?(text.to_i)
      text.to_i
    end

    def socket_path(path)
      complain("too long for a socket: listen=#{path}", "107 bytes at most") if path.bytesize > 107
      complain("a socket's path holds a control character: #{path.inspect}") if path.match?(/[[:cntrl:]]/)
      path
    end

    def numeric(host, service)
      service = port(service)
      found = Addrinfo.getaddrinfo(host, service, nil, :STREAM).first
      found.ipv6? ? "[#{found.ip_address}]:#{service}" : "#{found.ip_address}:#{service}"
    rescue SocketError => error
      complain("cannot resolve listen=#{host}:#{service}: #{error.message}", "a name that resolves here, or an address")
    end

    # -> "TAB key=value" for each, as ipc/settings.c reads them.
    def listen_options(options)
      options.map do |key, value|
        if LISTEN_IGNORED.key?(key)
          @notes << "listen option #{key} is ignored: #{LISTEN_IGNORED[key]}"
          next
        end
        next if value.nil?

        name, number = listen_option(key, value)
        "\t#{name}=#{number}"
      end.join
    end

    def listen_option(key, value)
      case key
      when *LISTEN_FLAGS
        complain("not boolean: #{key}=#{value.inspect}", "true or false") unless value == true || value == false
        [key, value ? 1 : 0]
      when :tcp_defer_accept then [key, { true => 1, false => 0 }.fetch(value) { whole(key, value, min: 0, max: 2**31 - 1) }]
      when :delay
        complain("not numeric: delay=#{value.inspect}", "seconds") unless value.is_a?(Numeric) && value.between?(0, 86_400)
        [:delay_ms, (value * 1000).round]
      when *LISTEN_COUNTS.keys
        low, high = LISTEN_COUNTS[key]
        complain("not an integer: #{key}=#{value.inspect}") unless value.is_a?(Integer)
        low = -(2**31) if key == :tries
        [key, bounds(key, value, low, high)]
      else
        complain("unknown listen option: #{key}", "one of #{(LISTEN_FLAGS + LISTEN_COUNTS.keys).join(", ")}, tcp_defer_accept, delay")
      end
    end
  end
end
