# frozen_string_literal: true

# The configuration's instance variables live as long as the master: what
# Marshal carries goes to the next mold that boots, so that
# `@pid ||= spawn("...")` stays one process.
module Reforkd
  class Config
    STATE_MAX = 1 << 20
    # Ours, and of no interest to the next mold.
    OURS = %i[@options @environment @set @place @notes @families @places @listeners_wanted @file @file_found @personality @why
      @rackup @rack_makes_app @timeout_alone @pools @pool @kind @server @here @place @state_sent @state_told].freeze

    # Before the file is evaluated, or in a candidate.
    def state_restore(bytes)
      Marshal.load(bytes).each do |name, dumped|
        instance_variable_set(name, Marshal.load(dumped)) unless OURS.include?(name)
      rescue StandardError => error
        @notes << "#{name} is not kept: it cannot be read before the file is evaluated (#{error.message})"
      end
    end

    # nil: the same as the last time, unless all are wanted.
    def state_dump(all = false)
      names = instance_variables - OURS
      return nil if names.empty? && !@state_sent

      bytes = Marshal.dump(state_of(names))
      return nil if bytes == @state_sent && !all

      @state_sent = bytes
    end

    private

    def state_of(names)
      room = STATE_MAX - 4096
      names.each_with_object({}) do |name, kept|
        dumped = Marshal.dump(instance_variable_get(name))
        room -= dumped.bytesize + name.size + 32
        next kept[name] = dumped if room >= 0

        room += dumped.bytesize + name.size + 32
        state_lost(name, "it takes #{dumped.bytesize} bytes, and all together may take #{STATE_MAX}")
      rescue StandardError => error
        state_lost(name, "Marshal refuses it: #{error.message}")
      end
    end

    # Once, and not again in each mold that is forked from this one.
    def state_lost(name, why)
      told = @state_told ||= []
      return if told.include?(name)

      told << name
      (own_logger || default_logger).warn("#{name} does not outlive this mold (reload, death of a mold): #{why}")
    end
  end
end
