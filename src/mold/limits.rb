# frozen_string_literal: true

# What a pool may cost: limits of memory and requests, and when a refork pays.
module Reforkd
  class Config
    SIZE_UNITS = { "" => 1, "K" => 1 << 10, "M" => 1 << 20, "G" => 1 << 30, "T" => 1 << 40 }.freeze
    OOM_ROLES = %i[master mold worker].freeze

    # :auto, false, or what refork_after takes.
    def refork(value)
      seen(:refork)
      case value
      when :auto then @set[:refork_auto] = true
      when false, nil
        @set[:refork_auto] = false
        @set[:refork_after] = []
      when Array, Integer then refork_after(value)
      else complain("refork=#{value.inspect} is not known", "write :auto, false, or the requests as in [500, 1000, 2000]")
      end
    end

    # The share of the pool's CPU time that automatic reforks may take.
    def refork_cpu(share)
      seen(:refork_cpu)
      complain("not a number: refork_cpu=#{share.inspect}", "0.01 is 1 % of the pool's CPU time") unless
        share.is_a?(Numeric) && share.real? && share.finite?
      @set[:refork_cpu] = (bounds(:refork_cpu, share, 0, 1) * 10_000).round
    end

    def refork_min_gain(value)
      seen(:refork_min_gain)
      @set[:refork_min_gain] = size(:refork_min_gain, value)
    end

    # worker_memory_limit "300M"; or uss: or rss:, which say what is counted.
    def worker_memory_limit(value = nil, uss: nil, rss: nil, jitter: nil)
      seen(:worker_memory_limit)
      given = [value, uss, rss].compact
      unless given.size == 1
        complain("worker_memory_limit takes one size, not #{given.size}", 'write "300M", uss: "300M" or rss: "300M"')
      end
      @set[:worker_memory_limit] = size(:worker_memory_limit, given.first, min: 1 << 20)
      @set[:worker_memory_rss] = !rss.nil?
      @set[:worker_memory_jitter] = share(:worker_memory_limit, jitter) unless jitter.nil?
    end

    def worker_max_requests(value, jitter: nil)
      seen(:worker_max_requests)
      @set[:worker_max_requests] = value ? whole(:worker_max_requests, value, min: 1) : 0
      @set[:worker_max_requests_jitter] = share(:worker_max_requests, jitter) unless jitter.nil?
    end

    # "4G", or a share of what the cgroup or the host has.
    def memory_budget(value)
      seen(:memory_budget)
      @set[:memory_budget] = @set[:memory_budget_percent] = 0
      percent = value.is_a?(String) && value[/\A\s*(\d{1,3})\s*%\s*\z/, 1]
      if percent
        @set[:memory_budget_percent] = bounds(:memory_budget, percent.to_i, 1, 100)
      else
        complain("not a size: memory_budget=#{value.inspect}", '"80%", in whole percent, bytes, or "300M", "4G"') if value.to_s.end_with?("%")
        @set[:memory_budget] = size(:memory_budget, value, min: 1 << 20)
      end
    end

    # What the kernel adds to a process' badness when memory runs out.
    def oom_score_adj(**scores)
      seen(:oom_score_adj)
      unknown = scores.keys - OOM_ROLES
      complain("oom_score_adj #{unknown.first}: is not known", "write #{OOM_ROLES.join(":, ")}:") unless unknown.empty?
      complain("oom_score_adj says nothing", "oom_score_adj master: -900, mold: -500, worker: 300; -1000 to 1000") if scores.empty?
      complain("oom_score_adj master: is the whole server's, not a pool's", "put it outside of pool :#{@pool}") if @pool && scores.key?(:master)
      scores.each { |role, score| @set[:"oom_score_adj_#{role}"] = oom_score(role, score) }
    end

    private

    def oom_score(role, score)
      return score if score.is_a?(Integer) && score.between?(-1000, 1000)

      complain("oom_score_adj #{role}: #{score.inspect} is no whole number from -1000 to 1000", "-1000 is never, 0 is as others")
    end

    def size(name, value, min: 0)
      bytes =
        case value
        when Integer then value
        when /\A\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*\z/i
          (Regexp.last_match(1).to_r * SIZE_UNITS.fetch(Regexp.last_match(2).upcase)).to_i
        else complain("not a size: #{name}=#{value.inspect}", 'bytes, or "300M", "4G"')
        end
      bounds(name, bytes, min, SETTINGS.fetch(name)[3])
    end

    # How far below the limit a worker's own may lie, so that not all go at once.
    def share(name, jitter)
      unless jitter.is_a?(Numeric) && jitter.real? && jitter.between?(0, 0.9)
        complain("#{name} jitter=#{jitter.inspect} is no share", "0 to 0.9; 0.1 is 10 % below the limit")
      end
      (jitter * 100).round
    end

    # On by itself in the native personality, unless the file says when.
    def refork_default
      return worker_exec_alone if @set[:worker_exec]
      return if @set.key?(:refork_auto) || @set.key?(:refork_after)

      @set[:refork_auto] = @personality == :native && @kind == :rack
    end

    # Workers that share no memory have none to share again.
    def worker_exec_alone
      other = %i[refork_after refork_auto].find { |name| @set[name] && @set[name] != [false] }
      return @kind == :rack || (@set[:worker_exec] = nil) unless other

      raise ConfigError, "#{@places[:worker_exec]}: worker_exec and #{@places.fetch(other == :refork_auto ? :refork : other)}: " \
                         "a worker of its own image shares no memory that a refork could bring together (remove one of the two)"
    end
  end
end
