# frozen_string_literal: true

require "rbconfig"

# A script of the user's own:
#
#   require "unicorn"
#   Unicorn::HttpServer.new(app, listeners: ["127.0.0.1:8080"]).start.join
#
# `join` makes this process the master, which is a program without Ruby and runs
# the script once more; there `join` is the mold. So the application may be any
# object that the script has made, and HUP reads the script anew.
module Reforkd
  START_CTX = { argv: [], cwd: Dir.pwd } # rubocop:disable Style/MutableConstant

  # The mold says the rest of each.
  class Config; end
  class Worker; end

  class Service < Worker; end

  def self.listener_names
    []
  end

  # Until the mold's own is there: whose library was required first.
  module Compat
    class << self
      attr_reader :family

      def theirs(feature)
        @family ||= feature[/\A\w+/]
        false
      end
    end
  end

  module Script
    HERE = File.expand_path("../..", __dir__)
    SEPARATOR = "\x1f"
    # As it was started, before anyone changes the title or the directory.
    COMMAND = File.read("/proc/self/cmdline").split("\0").freeze
    STARTED_IN = Dir.pwd.freeze
    IS_MOLD = ENV.key?("REFORKD_MOLD")

    class << self
      def run(app, options)
        must_be_a_script
        return become_master(options) unless IS_MOLD

        Reforkd.handed = [app, options]
        Reforkd.run
      end

      # What the application spawns is not started as this was.
      def prepare_mold
        ENV.delete("REFORKD_SCRIPT")
        require part("reforkd_mold.so", "gem install reforkd compiles it for this Ruby")
        Reforkd.singleton_class.attr_accessor :handed
      end

      private

      def must_be_a_script
        return if Thread.current == Thread.main && File.file?(File.expand_path($PROGRAM_NAME, STARTED_IN))

        raise "reforkd: HttpServer#join makes another program of this process, which runs the script again: " \
              "call it on the main thread of a script that is a file"
      end

      def become_master(options)
        file = options[:config_file]
        part("reforkd_mold.so", "gem install reforkd compiles it for this Ruby")
        program = part("reforkd", "gem install reforkd compiles it")
        ENV["REFORKD_RUBY"] = RbConfig.ruby
        ENV["REFORKD_SCRIPT"] = COMMAND.join(SEPARATOR)
        $stdout.flush
        exec([program, program], "--personality", Compat.family, *(["-c", file.to_s] if file), chdir: STARTED_IN)
      end

      def part(name, remedy)
        path = File.join(HERE, name)
        File.file?(path) ? path : abort("reforkd: #{path} is not there: #{remedy}")
      end
    end

    prepare_mold if IS_MOLD
  end

  class Server
    attr_reader :app

    def initialize(app, options = {})
      @app = app
      @options = options
    end

    def start(*)
      self
    end

    def join
      Script.run(@app, @options)
    end
  end
end
