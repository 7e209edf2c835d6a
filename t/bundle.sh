# Where this project's gems are: in its own vendor/, never in the system or in
# $HOME, which may be empty or read-only. Sourced with $root set.

export BUNDLE_PATH="$root/vendor/bundle"
export BUNDLE_APP_CONFIG="$root/vendor/bundler" BUNDLE_USER_HOME="$root/vendor/bundler"
export GEM_SPEC_CACHE="$root/vendor/bundler/specs"
export BUNDLE_FROZEN=true # nothing of ours writes a lock
export BUNDLE_SILENCE_ROOT_WARNING=true

# bundle_use FOLDER: what runs from here on finds the gems of that Gemfile.
bundle_use() {
	export BUNDLE_GEMFILE="$1/Gemfile"
	export RUBYOPT="-rbundler/setup${RUBYOPT:+ $RUBYOPT}"
}

# steep_gems RUBY: the folder with the newest Steep that this Ruby runs.
steep_gems() {
	if "$1" -e 'exit RUBY_VERSION < "3.3"'; then
		echo examples/steep/ruby3.1
	else
		echo examples/steep
	fi
}
