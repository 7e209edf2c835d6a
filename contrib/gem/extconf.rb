# frozen_string_literal: true

# What `gem install` runs: looks for the libraries, then writes a Makefile that
# has the project's own one build the master, reforkctl and the extension.
require "etc"
require "mkmf"

abort "reforkd runs on Linux only" unless RUBY_PLATFORM.include?("linux")

missing = []
missing << "libev-dev" unless have_header("ev.h") && have_library("ev", "ev_loop_new")
unless (have_header("llhttp.h") && have_library("llhttp", "llhttp_init")) ||
       (have_header("http_parser.h") && have_library("http_parser", "http_parser_init"))
  missing << "libllhttp-dev (or libhttp-parser-dev)"
end
missing << "libjansson-dev" unless have_header("jansson.h") && have_library("jansson", "json_loads")
missing << "make" unless find_executable("make")
unless missing.empty?
  abort "reforkd: these are missing, by Debian's names: #{missing.join(", ")}\n" \
        "    apt-get install #{missing.map { |name| name[/\S+/] }.join(" ")}"
end

top = File.expand_path("../..", __dir__)
built = File.join(Dir.pwd, "built")
File.write("Makefile", <<~MAKE)
  TOP = #{top}
  BUILT = #{built}
  sitearchdir = #{RbConfig::CONFIG["sitearchdir"]}
  PLACE = $(DESTDIR)$(sitearchdir)/reforkd
  JOBS = #{Etc.nprocessors}
  OPT ?= -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong

  all:
  	$(MAKE) -s -C $(TOP) -j$(JOBS) B=$(BUILT) RUBY=#{RbConfig.ruby} OPT='$(OPT) -fPIC' extension-here

  install: all
  	mkdir -p $(PLACE)
  	cp $(BUILT)/reforkd $(BUILT)/reforkctl $(BUILT)/reforkd_mold.so $(PLACE)
  	cp -R $(BUILT)/compat $(PLACE)
  	rm -rf $(BUILT)

  clean:
  	rm -rf $(BUILT)

  .PHONY: all install clean
MAKE
