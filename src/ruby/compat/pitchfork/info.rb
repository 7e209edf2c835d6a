# frozen_string_literal: true

require "reforkd/compat"
return if Reforkd::Compat.theirs("pitchfork/info")

module Pitchfork
  module Info
    extend Reforkd::CompatInfo
    @kept = ObjectSpace::WeakMap.new

    class << self
      def keep_io(io)
        raise ArgumentError, "#{io.inspect} doesn't respond to :to_io" unless io.respond_to?(:to_io)

        @kept[io] = io
      end

      def keep_ios(ios)
        ios.each { |io| keep_io(io) }
      end

      # Every IO but stdin, stdout, stderr and what was kept. A TCP socket is first
      # made another file, so that its peer hears nothing.
      def close_all_ios!
        kept = [$stdin, $stdout, $stderr, STDIN, STDOUT, STDERR] + @kept.values.map(&:to_io)
        ObjectSpace.each_object(IO) do |io|
          next if kept.any? { |other| other.equal?(io) } || !closable?(io)

          io.reopen(File::NULL) if io.is_a?(TCPSocket)
          io.close
        end
      end

      private

      def closable?(io)
        !io.closed? && io.autoclose?
      rescue IOError
        false
      end
    end
  end
end
