# frozen_string_literal: true

require "ruby_lsp/internal"

# What ruby-lsp does in each session, done once: it loads, and indexes the
# project, its gems and Ruby itself.
module Warm
  # A session's server finds the index full and does not compact its heap, which
  # it shares with the mold; it only looks at files that have changed since.
  module Server
    private

    def perform_initial_indexing
      Thread.new do
        Warm.refresh(@global_state)
      ensure
        end_progress("indexing-progress")
      end
    end
  end

  class << self
    attr_reader :made, :since

    def index
      @since = Time.now
      index = RubyIndexer::Index.new
      settings = File.expand_path(".index.yml")
      index.configuration.apply_config(YAML.parse_file(settings).to_ruby) if File.exist?(settings)
      index.index_all
      index.clear_ancestors
      index
    end

    def serve(index)
      @made = index
      RubyIndexer::Index.singleton_class.prepend(Module.new { def new = Warm.made })
      RubyLsp::Server.prepend(Server)
      [$stdin, $stdout, $stderr].each(&:binmode)
      server = RubyLsp::Server.new
      $> = $stderr # what add-ons print must not come between messages
      server.start
    end

    def refresh(state)
      index = state.index
      Dir.glob("#{Dir.pwd}/**/*.rb").each do |path|
        next if File.mtime(path) < since

        uri = URI::Generic.from_path(path: path)
        state.synchronize { index.handle_change(uri, File.read(path)) }
      rescue SystemCallError
        next # it has gone meanwhile
      end
    end
  end
end
