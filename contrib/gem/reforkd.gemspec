# frozen_string_literal: true

# Built from the top folder: `make gem`. The sources are the gem: `gem install`
# compiles them for the Ruby that it installs into.
Gem::Specification.new do |spec|
  spec.name = "reforkd"
  spec.version = File.read("include/reforkd/version.h")[/RFK_VERSION "([^"]+)"/, 1]
  spec.summary = "Serves Rack applications from workers that are forked again from a warm one"
  spec.description = "A prefork server whose master is C without Ruby; takes the configuration, " \
    "signals and command line of unicorn and pitchfork."
  spec.authors = ["The reforkd authors"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir["Makefile", "LICENSE", "README.md", "CHANGES.md", "docs/*", "include/**/*", "src/**/*",
                   "contrib/gem/**/*"].select { |path| File.file?(path) }
  spec.extensions = ["contrib/gem/extconf.rb"]
  spec.bindir = "contrib/gem/exe"
  spec.executables = %w[reforkd reforkctl]
  spec.require_paths = ["contrib/gem/lib"]
  spec.metadata = { "rubygems_mfa_required" => "true" }
end
