# frozen_string_literal: true

# The bundle that ruby-lsp runs in for a project: the one that it has composed
# there, the project's gems and its own; else the project's, when that has it.
module ProjectBundle
  def self.enter(root)
    found = %w[.ruby-lsp/Gemfile Gemfile].map { |name| File.join(root, name) }.find { |file| has_ruby_lsp?(file) }
    raise "#{root}: no bundle with ruby-lsp (run ruby-lsp once there, which composes one, or put it into the Gemfile)" unless found

    ENV["BUNDLE_GEMFILE"] = found
    own = File.join(root, ".bundle") # where the project's gems are
    ENV["BUNDLE_APP_CONFIG"] = own if File.directory?(own)
    require "bundler/setup"
  end

  def self.has_ruby_lsp?(gemfile)
    File.file?(gemfile) && File.file?("#{gemfile}.lock") && File.read("#{gemfile}.lock").match?(/^ {4}ruby-lsp \(/)
  end
end
