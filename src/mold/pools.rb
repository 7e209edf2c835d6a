# frozen_string_literal: true

# pool :name do ... end: what stands in the block is that pool's, and the top
# level is the pool `default`. Each pool has a mold of its own, which evaluates
# the whole file and keeps its own block; the default pool's mold evaluates all
# of them, so that a mistake is found before anything runs.
module Reforkd
  class << self
    attr_accessor :pool # whose mold evaluates the file: :default, or a name
  end

  class Config
    KINDS = { rack: 0, run: 1, lease: 2, none: 3 }.freeze
    KINDS_SAID = %i[rack run lease].freeze
    POOL_NAME = /\A[A-Za-z_][A-Za-z0-9_-]{0,30}\z/.freeze
    # reforkctl has them as words.
    POOL_NAMES_TAKEN = %w[default service now on off read pages].freeze
    POOLS_MAX = 31
    # Of the whole server, not of one pool.
    TOP_ONLY = %i[pool personality pid control working_directory logger before_exec after_monitor_ready
      before_service_worker_ready before_service_worker_exit
      worker_exec preload_app lease_socket max_consecutive_spawn_errors].freeze
    # What is set at the top level for processes of every pool; a pool may say
    # otherwise. All the rest is the default pool's own.
    POOL_INHERITS = %i[personality working_directory user group umask logger stderr_path stdout_path malloc_library
      malloc_arena_max malloc_trim heap_preparation compact yjit spawn_timeout boot_timeout hook_timeout canary_time
      shared_sockets gc oob_gc oob_gc_rule oob_gc_every oob_gc_budget oob_gc_guard oob_gc_leash oob_gc_nursery
      ruby lease_socket worker_memory_limit worker_memory_rss worker_memory_jitter oom_score_adj_mold oom_score_adj_worker timeout_signal
      timeout_signal_by setpgid].freeze

    def pool(name, &block)
      seen(:pool)
      name = name.to_s if name.is_a?(Symbol)
      complain("pool=#{name.inspect} is no name", "letters, digits, _ and -, 31 at most") unless name.is_a?(String) && name.match?(POOL_NAME)
      complain("a pool may not be called #{name}", "choose another name") if POOL_NAMES_TAKEN.include?(name)
      complain("pool :#{name} has no block", "write pool :#{name} do ... end") unless block
      complain("pool :#{name} is there already (#{@pools[name].last})", "each name once") if @pools.key?(name)
      complain("too many pools", "#{POOLS_MAX} at most") if @pools.size >= POOLS_MAX
      @pools[name] = [block, here(caller_locations)]
    end

    def processes(count)
      worker_processes(count)
    end

    def drain(limit)
      drain_timeout(limit)
    end

    # :auto or false: whether a mold arranges its heap before it is forked from.
    def prepare(value)
      complain("prepare=#{value.inspect} is neither :auto nor false") unless [:auto, false].include?(value)
      heap_preparation(value == :auto)
    end

    # What the pool does says it already; this is checked against it.
    def kind(value)
      seen(:kind)
      complain("kind=#{value.inspect} is not known", "one of #{KINDS_SAID.inspect}") unless KINDS_SAID.include?(value)
      @set[:kind_said] = value
    end

    private

    def pool_allows(name)
      return unless TOP_ONLY.include?(name)

      complain("#{name} is the whole server's, not a pool's", "put it outside of pool :#{@pool}")
    end

    # When the whole file was read.
    def pools_evaluate
      Reforkd.pool = :default
      mine = option("pool")
      return @pools.each_key { |name| pool_try(name) } unless mine
      raise ConfigError, "#{@file}: pool :#{mine} is not there any more" unless @pools.key?(mine)

      Reforkd.pool = mine.to_sym
      pool_enter(mine)
    end

    def pool_enter(name)
      top = @set
      @set = Hash.new(&top.default_proc).merge!(top.slice(*POOL_INHERITS))
      @listeners_wanted = []
      @places = @places.slice(*POOL_INHERITS)
      @timeout_alone = @rack_makes_app = nil
      @pool = name
      @pools[name][0].call
    rescue ConfigError, SignalException
      raise
    rescue Exception => error
      raise ConfigError, one_line(error)
    end

    # In the default pool's mold: only what may be wrong with it.
    def pool_try(name)
      was = [@set, @listeners_wanted, @places, @timeout_alone, @rack_makes_app]
      pool_enter(name)
      kind_decide
    ensure
      @set, @listeners_wanted, @places, @timeout_alone, @rack_makes_app = was
      @pool = nil
    end

    def kind_decide
      @kind = kind_of_work
      raise ConfigError, "#{@pools[@pool].last}: pool :#{@pool} has no work (write worker { |lease| ... }, run { |worker| ... }, tick or rack App in it)" unless @kind || !@pool
      kind_check
      return unless @pool
      return unless @kind == :rack && @listeners_wanted.empty?

      raise ConfigError, "#{@pools[@pool].last}: pool :#{@pool} has an application and no listen (where shall it answer?)"
    end

    def kind_check
      kind_of(%i[run], %i[restart signals], "for work that runs by itself (write run { |worker| ... } beside it)")
      kind_of(%i[lease], %i[key max_molds idle_timeout spare max release_timeout lease_environment],
        "for workers that clients lease (write worker { |lease, state| ... } beside it)")
      said = @set[:kind_said]
      raise ConfigError, "#{@places[:kind]}: kind=#{said.inspect} is not what the pool does: #{@kind} (leave kind out, or change the work)" if said && said != @kind
      return unless @set.key?(:spare) && @set.key?(:max) && @set[:spare] > @set[:max]

      raise ConfigError, "#{@places[:spare]}: spare=#{@set[:spare]} is above max=#{@set[:max]} (max counts all workers, leased and spare)"
    end

    def kind_of(kinds, directives, whose)
      return if kinds.include?(@kind)

      name = directives.find { |directive| @set.key?(directive) } or return
      raise ConfigError, "#{@places[name]}: #{name} is #{whose}"
    end

    # Without an application the default pool may be empty, when there are others.
    def kind_of_work
      return task_kind if @set[:run] || @set[:ticks]
      return :lease if @set[:worker]
      return :rack if @set[:rack]
      return nil if @pool

      wants_none = !@pools.empty? && @listeners_wanted.empty? && !option("rackup") && !File.file?("config.ru")
      wants_none ? :none : :rack
    end

    def listeners_none
      names = %w[listen host port inherited].select { |name| @options.key?(name) }
      @notes << "the default pool has no application: #{names.join(", ")} of the command line is ignored" unless names.empty?
    end
  end
end
