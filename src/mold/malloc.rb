# frozen_string_literal: true

# The malloc directive: whose malloc the mold and its workers have.
module Reforkd
  class Config
    # What the library is called, and in which packages it comes.
    MALLOC_LIBRARIES = {
      jemalloc: ["libjemalloc.so.2", "libjemalloc2 on Debian and Ubuntu, jemalloc on Fedora, Arch and Alpine"]
    }.freeze

    def malloc(allocator = nil, arena_max: nil, trim: nil)
      seen(:malloc)
      if allocator.nil? && arena_max.nil? && trim.nil?
        complain("malloc says nothing", "malloc :jemalloc, malloc arena_max: 2 or malloc trim: true")
      end
      @set[:malloc_library] = malloc_library(allocator) unless allocator.nil?
      @set[:malloc_arena_max] = whole(:malloc_arena_max, arena_max, min: 1) unless arena_max.nil?
      @set[:malloc_trim] = flag(:malloc_trim, trim) unless trim.nil?
      return if @set.fetch(:malloc_library, "").empty? || (!@set.key?(:malloc_arena_max) && !@set[:malloc_trim])

      complain("malloc arena_max and trim are glibc's: #{@set[:malloc_library]} knows neither",
        "choose one; jemalloc reads the variable MALLOC_CONF")
    end

    private

    def malloc_library(allocator)
      case allocator
      when :glibc then ""
      when *MALLOC_LIBRARIES.keys then malloc_find(allocator, *MALLOC_LIBRARIES.fetch(allocator))
      when String then malloc_check(File.expand_path(text(:malloc_library, allocator)))
      else complain("malloc=#{allocator.inspect} is not known", ":glibc, :jemalloc, or the path of a library")
      end
    end

    def malloc_find(allocator, name, packages)
      found = malloc_folders.map { |folder| File.join(folder, name) }.find { |path| malloc_wrong(path).nil? }
      found || complain("malloc=#{allocator.inspect}: #{name} is not installed",
        "install #{packages}, or name its path: malloc \"/path/#{name}\"")
    end

    def malloc_folders
      own = ENV["LD_LIBRARY_PATH"].to_s.split(":").reject(&:empty?)
      own + %w[/usr/local/lib] + Dir["/usr/lib/*-linux-*"] + %w[/usr/lib64 /usr/lib /lib64 /lib]
    end

    def malloc_check(path)
      wrong = malloc_wrong(path)
      complain("malloc=#{path.inspect} #{wrong}", "the path of a shared library that has malloc in it") if wrong
      complain("malloc=#{path.inspect} holds a blank or a colon", "LD_PRELOAD cannot name it") if path.match?(/[\s:]/)
      path
    end

    # The loader would only warn of it and go on without. Bytes 4 and 5 are the
    # class and the order, 16 and 17 the kind (3 = shared), 18 and 19 the machine.
    def malloc_wrong(path)
      ours = File.binread("/proc/self/exe", 20)
      head = File.binread(path, 20).to_s
      return "is not a shared library" unless head.start_with?("\x7fELF".b) && head.bytesize == 20 && head[16, 2].unpack1("S") == 3

      "is a library for another machine" unless head[4, 2] == ours[4, 2] && head[18, 2] == ours[18, 2]
    rescue SystemCallError => error
      "cannot be read: #{plain(error)}"
    end
  end
end
