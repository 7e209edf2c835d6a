# frozen_string_literal: true

require "unicorn"
return if Reforkd::Compat.theirs("unicorn/oob_gc")

# `use Unicorn::OobGC, interval, path`: a collection after every interval-th
# request whose path matches, when its client has been answered.
module Unicorn
  module OobGC
    class << self
      attr_reader :interval, :path
      attr_accessor :left

      def new(app, interval = 5, path = %r{\A/})
        @interval = @left = interval
        @path = path
        ObjectSpace.each_object(HttpServer) { |server| server.extend(self) }
        app
      end
    end

    def process_client(client)
      super
      return unless OobGC.path.match?(@request.env["PATH_INFO"].to_s) && (OobGC.left -= 1) <= 0

      OobGC.left = OobGC.interval
      was_off = GC.enable
      GC.start
      GC.disable if was_off
    end
  end
end
