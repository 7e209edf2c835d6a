# frozen_string_literal: true

module Reforkd
  module Steep
    # The texts of all files as Steep's workers have been told of them, in the
    # order of telling; and which of them have changed since a barrier. Used by the
    # thread that sends the messages only.
    class Documents
      KEPT = 2 # barriers: of the mold that is there, and of the one that comes

      def initialize(project)
        @project = project
        @texts = {}
        @changed = {}
      end

      def note(message)
        params = message[:params]
        case message[:method]
        when ::Steep::Server::CustomMethods::FileLoad::METHOD
          params[:content].each { |path, content| put(path.to_s, content) }
        when ::Steep::Server::CustomMethods::FileReset::METHOD
          path = path_of(params[:uri]) and put(path, params[:content])
        when "textDocument/didChange"
          path = path_of(params[:textDocument][:uri]) and edit(path, params[:contentChanges])
        end
      end

      def barrier(stamp)
        @changed[stamp] = {}
        @changed.shift while @changed.size > KEPT
      end

      # What a worker made at that barrier lacks, as a message. Of an unknown stamp
      # it lacks everything. Whole texts, so that it may be told twice.
      def since(stamp)
        changed = @changed[stamp]
        texts = changed ? @texts.slice(*changed.keys) : @texts.dup
        ::Steep::Server::CustomMethods::FileLoad.notification({ content: texts, whole: changed.nil? })
      end

      private

      def initialize_copy(_other)
        @texts = @texts.dup
        @changed = @changed.transform_values(&:dup)
      end

      def path_of(uri)
        path = ::Steep::PathHelper.to_pathname(uri)
        path && @project.relative_path(path).to_s
      end

      def put(path, content)
        @texts[path] = content
        @changed.each_value { |paths| paths[path] = true }
      end

      def edit(path, changes)
        text = @texts.fetch(path, "")
        text = text[:text].unpack1("m").force_encoding(Encoding::UTF_8) if text.is_a?(Hash)
        put(path, changes.inject(text) { |before, change| change_of(change).apply_to(before) })
      end

      def change_of(change)
        range = change[:range]&.values_at(:start, :end)&.map do |place|
          ::Steep::Services::ContentChange::Position.new(line: place[:line] + 1, column: place[:character])
        end
        ::Steep::Services::ContentChange.new(range: range, text: change[:text])
      end
    end
  end
end
