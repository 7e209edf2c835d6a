# frozen_string_literal: true

# key :root, :lock in a pool for lease: each value of these fields has a mold of
# its own, which runs `boot` in the key's root. The pool's own mold has read the
# file and does nothing else.
module Reforkd
  class << self
    attr_accessor :key # {root: "/home/me/shop"} in the mold of a key, else nil
  end

  class Config
    # They are the message's own.
    KEY_TAKEN = %i[pool fds umask].freeze

    def key(*names)
      lease_seen(:key)
      names = names.flatten
      right = names.size.between?(1, 7) && names.uniq == names && names.all? { |name| key_name?(name) }
      complain("key=#{names.inspect} names no fields of a lease", "write key :root, or key :root, :lock") unless right
      @set[:key] = names.join(",")
    end

    def max_molds(count)
      lease_seen(:max_molds)
      @set[:max_molds] = whole(:max_molds, count)
    end

    def idle_timeout(value)
      lease_seen(:idle_timeout)
      @set[:idle_timeout] = seconds(:idle_timeout, value)
    end

    private

    def key_name?(name)
      name.is_a?(Symbol) && name.match?(/\A[a-z_][a-z0-9_]{0,31}\z/) && !KEY_TAKEN.include?(name)
    end

    # START's "key=root=/home/me/shop", one for each field.
    def key_take
      pairs = @options.fetch("key", []).map { |pair| pair.split("=", 2) }
      Reforkd.key = pairs.to_h { |name, value| [name.to_sym, value.freeze] }.freeze unless pairs.empty?
    end

    # What boot has made; nothing in the mold whose keys have molds.
    def lease_boot
      return if @set[:key] && !Reforkd.key

      root = Reforkd.key && Reforkd.key[:root]
      key_enter(root) if root
      boot = @set[:boot] or return
      boot.lambda? && boot.arity.zero? ? boot.call : boot.call(Reforkd.key)
    end

    def key_enter(root)
      raise ConfigError, "root=#{root.inspect} is no absolute path" unless root.start_with?("/")

      Dir.chdir(root)
      ENV["PWD"] = root
    rescue SystemCallError => error
      raise ConfigError, "cannot enter root=#{root}: #{plain(error)}"
    end
  end
end
