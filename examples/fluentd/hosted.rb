# frozen_string_literal: true

require "fluent/log"
require "fluent/env"
require "fluent/version"
require "fluent/supervisor"
require "fluent/engine"
require "fluent/plugin_helper/server"

# A fluentd daemon without its supervisor: reforkd is that.
class Hosted
  # Sockets that reforkd has bound are taken as they are: a successor accepts
  # from the same queue, and nobody who connects meanwhile is refused.
  module Sockets
    class << self
      attr_accessor :handed
    end

    def server_create_tcp_socket(shared, bind, port)
      socket = Sockets.handed.find { |handed| handed.local_address.ip_port == port } or return super

      copy = socket.dup # fluentd closes it when it stops
      copy.autoclose = false
      TCPServer.for_fd(copy.fileno)
    end

    # Heartbeats come here; an old and a new process may be bound at once.
    def server_create_udp_socket(_shared, bind, port)
      address = Addrinfo.udp(bind, port)
      socket = UDPSocket.new(address.afamily)
      socket.setsockopt(:SOCKET, :REUSEPORT, true)
      socket.bind(bind, port)
      socket
    end
  end
  Fluent::PluginHelper::Server.prepend(Sockets)

  class << self
    attr_accessor :worker # for plugins that count what they do
  end

  # In the mold: plugins are loaded and the file is parsed, no thread runs.
  def initialize(config)
    Encoding.default_internal = Encoding.default_external = Encoding::ASCII_8BIT
    @supervisor = Fluent::Supervisor.new(Fluent::Supervisor.default_options.merge(
      config_path: config, plugin_dirs: [File.expand_path("plugin", __dir__)], supervise: false, standalone_worker: true
    ))
    @supervisor.configure
  end

  # Until it is told to stop; then buffers are flushed, and it leaves with 0.
  def work(worker)
    Hosted.worker = worker
    Sockets.handed = worker.listeners
    worker.on_stop { Fluent::Engine.stop }
    @supervisor.run_worker
  end
end
