# frozen_string_literal: true

require "reforkd/programs"

module Reforkd
  # What `rackup -s reforkd` and `rails server -u reforkd` call. The application
  # has been loaded here already, and is loaded once more: reforkd takes this
  # process's place, and its mold reads config.ru, so that the master stays
  # without Ruby. What wraps the application outside of config.ru (rackup's
  # middleware for development, Rails' log on standard output, -b) is lost.
  module Handling
    DEFAULT_FILE = "config/reforkd.rb"

    def run(_app, **options)
      arguments = arguments_for(options)
      forget_pid(options[:pid])
      $stdout.flush
      Programs.start("reforkd", Programs::STUB, *arguments)
    end

    def valid_options
      {
        "Host=HOST" => "Address to listen on (default: localhost)",
        "Port=PORT" => "Port to listen on (default: 9292)",
        "Config=FILE" => "Configuration (default: #{DEFAULT_FILE}, if it is there)",
      }
    end

    # rackup's options as reforkd's. A file's listeners are the only ones,
    # unless a host or a port was asked for.
    def arguments_for(options)
      rackup = options[:config] || "config.ru"
      abort "reforkd: it is another program and cannot take over an application " \
            "that is in no file: #{rackup} is not there" if options[:builder] || !File.file?(rackup)
      arguments = []
      arguments.push("-c", options[:Config].to_s) if options[:Config]
      arguments.push("-l", "#{host(options)}:#{options[:Port] || 9292}") if listens?(options)
      arguments.push("-E", options[:environment].to_s) if options[:environment]
      arguments.push("-P", options[:pid].to_s) if options[:pid]
      arguments.push("-d") if options[:debug]
      arguments.push("-w") if options[:warn]
      Array(options[:include]).each { |folder| arguments.push("-I", folder) }
      Array(options[:require]).each { |library| arguments.push("-r", library) }
      arguments << rackup
    end

    private

    def host(options)
      host = options[:Host] || "localhost"
      host.include?(":") && !host.start_with?("[") ? "[#{host}]" : host
    end

    def listens?(options)
      return true unless options[:Config] || File.file?(DEFAULT_FILE)

      # Rails says which were given; with rackup its defaults must do.
      given = options[:user_supplied_options]
      return given.intersect?(%i[Host Port]) if given

      options[:Port].to_i != 9292 || !["localhost", "0.0.0.0", nil].include?(options[:Host])
    end

    # It has this process's number, and is reforkd's to write and remove.
    def forget_pid(path)
      File.delete(path) if path && File.file?(path) && File.read(path).to_i == Process.pid
    end
  end
end
