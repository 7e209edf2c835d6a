# frozen_string_literal: true

# ruby "/opt/ruby-3.4/bin/ruby", ruby :project: the mold of this pool, or of each
# of its keys, is that Ruby. It loads what the gem has compiled for it.
module Reforkd
  class Config
    def ruby(which)
      seen(:ruby)
      @families << [:native, :ruby]
      unless which == :project || (which.is_a?(String) && which.start_with?("/"))
        complain("ruby=#{which.inspect} is neither :project nor an absolute path", 'write ruby "/opt/ruby-3.4/bin/ruby"')
      end
      complain("ruby=#{which} is no program", "is it installed?") unless which == :project || Rubies.program?(which)
      @set[:ruby] = which.to_s
    end

    # [path, extension] of the Ruby that this process is to be, nil when it is.
    def front
      return if @set[:ruby].nil? || (@set[:key] && !Reforkd.key)

      path = @set[:ruby]
      path = Rubies.of_project(Reforkd.key&.fetch(:root, nil) || Dir.pwd) if path == "project"
      [path, Rubies.front(path)] unless path.nil? || File.realpath(path) == File.realpath(RbConfig.ruby)
    end
  end

  # Which Ruby a project wants, and what it needs to be a mold.
  module Rubies
    # Who is asked for what such a file names. chruby has no program to ask.
    FILES = { "mise.local.toml" => %w[mise], "mise.toml" => %w[mise], ".mise.toml" => %w[mise], ".config/mise.toml" => %w[mise],
      ".tool-versions" => %w[asdf mise], ".ruby-version" => %w[rbenv mise asdf] }.freeze
    # Where they keep their Rubies: the variable that says so, and where it is else.
    FOLDERS = [["RBENV_ROOT", "~/.rbenv", "versions"], ["ASDF_DATA_DIR", "~/.asdf", "installs/ruby"],
      ["MISE_DATA_DIR", "~/.local/share/mise", "installs/ruby"], [nil, "~/.rubies", "."], [nil, "/opt/rubies", "."]].freeze
    PROBE = <<~'RUBY'
      spec = Gem::Specification.find_all_by_name("reforkd", ARGV[0]).first
      places = spec ? [spec.extension_dir, *spec.full_require_paths] : []
      print RUBY_VERSION, "\n", places.map { |place| File.join(place, "reforkd", "reforkd_mold.so") }.find { |file| File.file?(file) }
    RUBY

    class << self
      def program?(path)
        File.file?(path) && File.executable?(path)
      end

      # nil: nothing is asked for, or what this one is.
      def of_project(root)
        file, version = wanted(root)
        return if version.nil? || version == "system"

        found = asked(file, root) || kept(version)
        return found if found || matches?(RUBY_VERSION, version)

        raise ConfigError, "#{file} asks for Ruby #{version}, which neither rbenv, asdf, mise nor chruby has (install it)"
      end

      # The extension that the gem has for that Ruby.
      def front(path)
        version, file = said([path, "-e", PROBE, VERSION])&.split("\n")
        raise ConfigError, "ruby #{path} does not start, or is no Ruby" unless version
        return file if file

        raise ConfigError, "ruby #{path} (#{version}) has no extension of reforkd #{VERSION}; this builds it: " \
          "#{path} -S gem install reforkd -v #{VERSION} (from a source tree: make gem, then build/reforkd.gem)"
      end

      private

      # The nearest file upwards that names a Ruby, and the name.
      def wanted(root)
        loop do
          FILES.each_key do |name|
            file = File.join(root, name)
            version = File.file?(file) && version_in(name, File.read(file))
            return [file, version] if version
          end
          return if (root = File.dirname(above = root)) == above
        end
      end

      def version_in(name, text)
        case name
        when ".ruby-version" then text[/^\s*(?:ruby-)?([^\s#]+)/, 1]
        when ".tool-versions" then text[/^\s*ruby\s+([^\s#]+)/, 1]
        else
          table(text, "tools")[/^\s*ruby\s*=[^"'\n]*["']([^"']+)["']/, 1] ||
            table(text, "tools.ruby")[/^\s*version\s*=\s*["']([^"']+)["']/, 1]
        end
      end

      def table(text, name)
        text[/^\[#{Regexp.escape(name)}\]\s*$(.*?)(?=^\[|\z)/m, 1].to_s
      end

      def asked(file, root)
        FILES.fetch(File.basename(file)).each do |manager|
          next unless ENV.fetch("PATH", "").split(":").any? { |folder| program?(File.join(folder, manager)) }

          path = said([manager, "which", "ruby"], root).to_s.lines.last.to_s.strip
          return path if path.start_with?("/") && program?(path)
        end
        nil
      end

      def kept(version)
        found = FOLDERS.flat_map do |variable, folder, inside|
          top = ENV.fetch(variable.to_s, folder).sub("~", ENV.fetch("HOME", "/nonexistent"))
          Dir.glob(File.join(top, inside, "*", "bin", "ruby")).select { |path| program?(path) && matches?(name_of(path), version) }
        end
        found.max_by { |path| name_of(path).scan(/\d+/).map(&:to_i) }
      end

      def name_of(path)
        File.basename(File.dirname(path, 2)).delete_prefix("ruby-")
      end

      # 3.3 is any of 3.3.
      def matches?(version, wanted)
        version == wanted || version.start_with?("#{wanted}.")
      end

      # What a program prints when all is well. Not with our bundle, which is not its.
      def said(command, folder = "/")
        text = IO.popen({ "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil }, command, chdir: folder, in: File::NULL, err: File::NULL, &:read)
        text if $?.success?
      rescue SystemCallError
        nil
      end
    end
  end
end
