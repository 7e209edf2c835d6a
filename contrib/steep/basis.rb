# frozen_string_literal: true

require "digest"

module Reforkd
  module Steep
    # What an environment is made of, besides the project's own files, whose texts
    # Steep sends: the Steepfile, and the locks of rbs collections. By digests.
    module Basis
      module_function

      def of(project)
        locks = project.targets.filter_map { |target| target.options.collection_config_path }
        files = [project.steepfile_path, *locks, *locks.map { |path| ::RBS::Collection::Config.to_lockfile_path(path) }]
        Digest::SHA256.hexdigest(files.compact.uniq.map { |path| "#{path}\0#{Digest::SHA256.file(path) if path.file?}\n" }.join)
      end
    end
  end
end
