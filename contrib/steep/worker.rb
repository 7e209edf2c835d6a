# frozen_string_literal: true

# Steep's workers as leased workers: what a pool's mold loads, and what the block
# of `worker` calls. See README.md.
require "steep"
require "steep/cli"
require_relative "basis"
require_relative "inbox"

module Reforkd
  module Steep
    # What a mold hands to its workers. basis: what the environment was made of;
    # stamp: which promotion it comes from, nil for a mold that was booted.
    State = Struct.new(:project, :service, :basis, :stamp)

    PROMOTE = "$/reforkd/promote"
    DONE = "$/reforkd/done"

    class Loader
      include ::Steep::Drivers::Utils::DriverHelper
    end

    class << self
      attr_reader :state, :inbox

      # In the mold: the Steepfile read, the signatures of libraries and of the
      # project loaded. No file is checked: what that leaves is garbage mostly.
      def boot
        ::Steep.ui_logger.level = :fatal
        project = Loader.new.load_config
        service = ::Steep::Services::TypeCheckService.new(project: project)
        service.update(changes: files_of(project))
        project.targets.each { |target| service.signature_services.fetch(target.name).current_subtyping }
        State.new(project, service, Basis.of(project), nil)
      end

      # In a worker: `steep worker` with the client's arguments, until its end.
      def run(lease, state)
        unless lease[:steep] == ::Steep::VERSION
          abort "reforkd: the pool has Steep #{::Steep::VERSION}, the client #{lease[:steep]}: start both with the same bundle"
        end

        @state = state
        @ours = !state.nil? && [state.stamp, state.basis].intersect?([lease[:stamp], lease[:basis]].compact)
        # Objects of this session's own: what Ruby has buffered in them is not handed on.
        @inbox = Inbox.new(IO.for_fd(0, "rb", autoclose: false))
        output = IO.for_fd(1, "wb", autoclose: false)
        ::Steep::CLI.new(argv: ["worker", *lease.arguments], stdin: @inbox, stdout: output, stderr: $stderr).run
      end

      # The project of the state, when it is still what this one says; or when it is
      # what the client's session has begun with, which goes on like that.
      def project_for(project)
        @basis = @ours ? @state.basis : Basis.of(project)
        @state = nil if @state && @state.basis != @basis
        @state&.project || project
      end

      def service_for(project)
        @state.service if @state&.project.equal?(project)
      end

      # Of the project's files, those that the state knows of.
      def paths
        service = @state.service
        service.source_files.keys | service.signature_services.each_value.flat_map { |signature| signature.files.keys }
      end

      # On the main thread, while every other one waits.
      def promote(service, stamp)
        Reforkd.promote { handed_on(service, stamp) }
      end

      private

      # In the copy. Results of checks are this worker's, of a part of the files:
      # each of its heirs makes its own.
      def handed_on(service, stamp)
        @inbox = @state = nil
        service.source_files.transform_values! do |file|
          file.class.no_data(path: file.path, content: file.content)
        end
        State.new(service.project, service, @basis, stamp)
      end

      def files_of(project)
        loader = ::Steep::Services::FileLoader.new(base_dir: project.base_dir)
        project.targets.each_with_object({}) do |target, changes|
          loader.each_path_in_target(target) do |path|
            text = project.absolute_path(path).read
            changes[path] ||= [::Steep::Services::ContentChange.string(text)]
          end
        end
      end
    end

    module Configured
      def load_config(**)
        Steep.project_for(super)
      end
    end

    module Inherited
      def new(project:)
        Steep.service_for(project) || super
      end
    end

    # A file that is sent again as it is there is no reason to make anything again.
    module Unchanged
      def update(changes:)
        super(changes: changes.reject { |path, list| known?(path, list) })
      end

      private

      def known?(path, list)
        texts = texts_of(path)
        texts.any? && texts.all? { |text| list.inject(text) { |before, change| change.apply_to(before) } == text }
      end

      def texts_of(path)
        signatures = signature_services.each_value.filter_map { |signature| signature.files[path] }
        [source_files[path], *signatures].compact.map { |file| file.respond_to?(:content) ? file.content : file.buffer.content }
      end
    end

    # Requests of the client's own, in the order of all others.
    module InBand
      Done = Struct.new(:id)
      Promote = Struct.new(:id, :stamp)
      LOAD = ::Steep::Server::CustomMethods::FileLoad::METHOD

      def handle_request(request)
        forget_gone(request) if Steep.state
        case request[:method]
        when "initialize" then writer.write(id: request[:id], result: { stamp: Steep.state&.stamp, inherited: !Steep.state.nil? })
        when DONE then queue << Done.new(request[:id])
        when PROMOTE then promote_after(request)
        else super
        end
        catch_up if request[:method] == LOAD && request[:params].key?(:whole)
      end

      def handle_job(job)
        case job
        when Done then writer.write(id: job.id, result: nil)
        when Promote then writer.write(id: job.id, result: Steep.inbox.on_main { Steep.promote(service, job.stamp) })
        else super
        end
      end

      private

      # Files of the mold's that this client has not: it sends all that it has
      # before anything else, or says that it has sent what the mold lacks.
      def forget_gone(request)
        return if @told == :all || request[:method] == "initialize"

        if request[:method] == LOAD
          return @told = :all if request[:params][:whole] == false

          (@told ||= []).concat(request[:params][:content].keys.map { |path| Pathname(path.to_s) })
          return unless request[:params][:whole]
        end
        gone = Steep.paths.reject { |path| @told&.include?(path) || project.absolute_path(path).exist? }
        @told = :all
        push_buffer { |changes| gone.each { |path| changes[path] = [::Steep::Services::ContentChange.string("")] } }
      end

      # What it was told is so for requests, too, that come before the next check.
      # The worker for hovers takes it in by itself.
      def catch_up
        return unless is_a?(::Steep::Server::TypeCheckWorker)

        pop_buffer { |changes| queue << self.class::StartTypeCheckJob.new(guid: nil, changes: changes) unless changes.empty? }
      end

      # A barrier: the copy has every change that was sent before, and no other.
      def promote_after(request)
        catch_up
        queue << Promote.new(request[:id], request[:params][:stamp])
      end
    end

    ::Steep::Drivers::Worker.prepend(Configured)
    ::Steep::Services::TypeCheckService.singleton_class.prepend(Inherited)
    ::Steep::Services::TypeCheckService.prepend(Unchanged)
    ::Steep::Server::TypeCheckWorker.prepend(InBand)
    ::Steep::Server::InteractionWorker.prepend(InBand)
  end
end
