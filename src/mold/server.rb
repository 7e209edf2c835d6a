# frozen_string_literal: true

# Callbacks, and what they are given: a server and a worker, as unicorn's and
# pitchfork's configurations know them.
module Reforkd
  class Config
    # name => numbers of arguments that it may take
    HOOKS = { before_fork: [1, 2], after_fork: [2], after_worker_fork: [2], after_mold_fork: [2],
      after_worker_ready: [2], before_worker_exit: [2], after_request_complete: [3],
      after_worker_exit: [3], after_monitor_ready: [1], after_worker_hard_timeout: [2],
      before_exec: [1], before_promotion: [1, 2], after_promotion: [1, 2],
      after_worker_timeout: [3], before_service_worker_ready: [2],
      before_service_worker_exit: [2] }.freeze

    SERVICE_HOOKS = %i[before_service_worker_ready before_service_worker_exit].freeze

    HOOKS.each do |name, arities|
      define_method(name) do |callable = nil, &block|
        hook_set(name, arities, block || callable)
      end
    end

    def hook?(name)
      !@set[name].nil?
    end

    # What ruby/hooks.c calls. `extra` is the env, or a Process::Status.
    def run_hook(name, nr, generation, pid, requests, extra)
      hook = @set[name]
      worker = Worker.new(nr, generation, pid, requests, nr.nil? || name == :after_mold_fork)
      worker = Service.new(nil, generation, pid, requests, false) if SERVICE_HOOKS.include?(name)
      arguments = [server, worker, extra]
      count = hook.respond_to?(:arity) && hook.arity >= 0 ? hook.arity : HOOKS.fetch(name).last
      hook.call(*arguments.first(count))
    end

    private

    def hook_set(name, arities, callable)
      return @set[name] = nil if callable.nil?

      complain("invalid type: #{name}=#{callable.inspect}", "give it a block") unless callable.respond_to?(:call)
      arity = callable.respond_to?(:arity) ? callable.arity : arities.last
      unless arities.include?(arity) || (arity.negative? && arities.last >= ~arity)
        complain("#{name}=#{callable.inspect} has invalid arity: #{arity} (need #{arities.join(" or ")})")
      end
      seen(name)
      @families << (arity == 2 ? [:unicorn, "before_fork with two arguments"] : [:pitchfork, "before_fork with one argument"]) if name == :before_fork && arity.positive?
      @set[name] = callable
    end
  end
end
