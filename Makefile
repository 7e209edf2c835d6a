# reforkd - GNU make, no configure step. `make help` lists what there is to do.
#
# The lists below are the table of contents: within a folder, files stand in
# the order in which data meets them.

B ?= build
RUBY ?= ruby
CC ?= gcc
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/reforkd
MANDIR ?= $(PREFIX)/share/man
# In front of PATH, these take the place of the programs that sites know.
LINKDIR = $(PREFIX)/lib/reforkd/bin
UNITDIR = $(PREFIX)/lib/systemd/system
UNITS = reforkd.service reforkd.socket reforkd@.service
NAMES = unicorn unicorn_rails pitchfork
PORT ?= 8080
EXAMPLE ?= rails
WERROR ?=
ifeq ($(origin CC),default)
CC := gcc
endif

BASE = buf clock fail fd log pidfd kernel procmem holes title fault loop escape record sockpath environ cutoff backlog \
	leaseline leasekey rights forks
IPC = wire chan board settings derived allocator heap
HTTP = chars field parser target meaning head chunked status format
MASTER_PURE = lifecycle handover refork line ladder thrift cgroup oom
MASTER = main options master apply signals pools pool failures slots tasks service lineage choice succession hooks \
	refusal rollout outcome lastcall \
	process hear child moldlink words inherit notify upgrade obituary spawn environment \
	listener listeners pidfile watchdog overdue deaths recycle sampler memory figures totals rules print spell door control \
	leases leaseask lease leasenews spares keys inquiry verbs status \
	restart parting takeover strangers
CTL_PURE = slots directives advise pages
RELAY = frame text message documents asked known session editor worker
CTL = command client ask find launch project direct replace relay lease report grid table dump gather counsel main
GC = estimate decide nursery classic
RUBYDIR = names try vm prelude hooks warm threads reopen gcwatch gcstat leash life statistics gclog pages
FRONTS = main extension
MOLD = trampoline reserve wake config state front again boot view behalf prepare mold hatch
WORKER_PURE = token queues
WORKER = self worker turn listen idle collect room others trim relief inquire promote signals safepoint watchman extend stuck user
RACK = conn arrive request keys input reader fields env call head response stream hijack out \
	depart rack
LEASE = guard session promotion lease
RUN = run lastcall

RUBY_SOURCES = $(wildcard src/mold/*.rb src/ruby/*.rb src/rack/*.rb src/run/*.rb)

LIBEV = -lev
# libllhttp where the system has it (Debian 13), else libhttp-parser.
HTTP_LIB := $(if $(wildcard /usr/include/llhttp.h),-lllhttp,-lhttp_parser)
HTTP_DEF := $(if $(wildcard /usr/include/llhttp.h),-DHAVE_LLHTTP)

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
	-Wpointer-arith -Wcast-qual -Wvla -Wundef -Wformat=2 \
	-Wimplicit-fallthrough -Wdeclaration-after-statement $(WERROR)
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong
OPT ?= -O2 -g $(HARDEN)
override CFLAGS += -std=gnu11 -D_GNU_SOURCE -fvisibility=hidden -fno-common \
	-pthread $(OPT) $(WARN)
override CPPFLAGS += -Isrc -Iinclude -I$(B)/src $(HTTP_DEF) \
	-DRFK_LIBEXECDIR='"$(LIBEXECDIR)"' -include base/banned.h
override LDFLAGS += -Wl,-z,relro,-z,now -pthread

# The Ruby is asked once, and only when something needs it.
RBCONFIG = $(RUBY) -rrbconfig -e
RUBY_CFLAGS = $(eval RUBY_CFLAGS := $(shell $(RBCONFIG) 'c = RbConfig::CONFIG; print "-isystem #{c["rubyhdrdir"]} -isystem #{c["rubyarchhdrdir"]}"'))$(RUBY_CFLAGS)
RUBY_LIBS = $(eval RUBY_LIBS := $(shell $(RBCONFIG) 'c = RbConfig::CONFIG; print c["ENABLE_SHARED"] == "yes" ? "-L#{c["libdir"]} -Wl,-rpath,#{c["libdir"]} #{c["LIBRUBYARG_SHARED"]} #{c["LIBS"]}" : "-L#{c["libdir"]} -rdynamic #{c["LIBRUBYARG_STATIC"]} #{c["MAINLIBS"]}"'))$(RUBY_LIBS)

o = $(foreach f,$(2),$(B)/src/$(1)/$(f).o)
OBJ_BASE = $(call o,base,$(BASE))
OBJ_IPC = $(call o,ipc,$(IPC))
OBJ_HTTP = $(call o,http,$(HTTP))
OBJ_GC = $(call o,gc,$(GC))
OBJ_PURE = $(call o,master,$(MASTER_PURE))
OBJ_MASTER = $(call o,master,$(MASTER)) $(OBJ_PURE)
OBJ_CTL_PURE = $(call o,ctl,$(CTL_PURE))
OBJ_RELAY = $(call o,relay,$(RELAY))
OBJ_CTL = $(call o,ctl,$(CTL)) $(OBJ_RELAY) $(OBJ_CTL_PURE)
OBJ_VM = $(call o,ruby,$(RUBYDIR))
OBJ_WORKER_PURE = $(call o,worker,$(WORKER_PURE))
OBJ_MOLD = $(call o,mold,$(MOLD)) $(call o,worker,$(WORKER)) \
	$(call o,lease,$(LEASE)) $(call o,rack,$(RACK)) \
	$(call o,run,$(RUN))
OBJ_FRONTS = $(call o,mold,$(FRONTS))
OBJ_CORE = $(OBJ_MOLD) $(OBJ_WORKER_PURE) $(OBJ_VM) $(OBJ_GC) $(OBJ_HTTP) $(OBJ_IPC) $(OBJ_BASE)

# unicorn's and pitchfork's constants: files, at the end of Ruby's load path.
COMPAT_SOURCES = $(wildcard src/ruby/compat/*.rb src/ruby/compat/*/*.rb)
COMPAT = $(COMPAT_SOURCES:src/ruby/compat/%=$(B)/compat/%)

PROGRAMS = $(B)/reforkd $(B)/reforkd-mold $(B)/reforkctl

all: $(PROGRAMS) $(COMPAT) ## build reforkd, reforkd-mold and reforkctl

$(B)/reforkd: $(OBJ_MASTER) $(OBJ_IPC) $(OBJ_BASE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBEV)

$(B)/reforkd-mold: $(call o,mold,main) $(OBJ_CORE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBEV) $(HTTP_LIB) $(RUBY_LIBS)

# Both once more, as a version that speaks another protocol: what knows the
# number is compiled again. For t/e2e/restart_other.t.
OTHER_SRC := $(shell grep -l 'RFK_PROTOCOL\|HANDOVER_' src/*/*.c)
OTHER_OBJ = $(OTHER_SRC:%.c=$(B)/other/%.o)
other_of = $(filter-out $(OTHER_SRC:%.c=$(B)/%.o),$(1)) $(filter $(patsubst $(B)/%,$(B)/other/%,$(1)),$(OTHER_OBJ))
other: $(B)/other/reforkd $(B)/other/reforkd-mold
$(B)/other/reforkd: $(call other_of,$(OBJ_MASTER) $(OBJ_IPC) $(OBJ_BASE))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBEV)
$(B)/other/reforkd-mold: $(call other_of,$(call o,mold,main) $(OBJ_CORE))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBEV) $(HTTP_LIB) $(RUBY_LIBS)
$(filter $(B)/other/src/mold/%,$(OTHER_OBJ)): override CFLAGS += $(RUBY_CFLAGS)
$(filter $(B)/other/src/mold/%,$(OTHER_OBJ)): | $(RB_INC)
$(OTHER_OBJ): $(B)/other/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DRFK_PROTOCOL=99u -DHANDOVER_VERSION=99 $(CFLAGS) -MMD -MP -c -o $@ $<

# No libruby: the Ruby that loads it has its symbols, shared library or not.
$(B)/reforkd_mold.so: $(call o,mold,extension) $(OBJ_CORE)
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBEV) $(HTTP_LIB)

$(B)/reforkctl: $(OBJ_CTL) $(OBJ_BASE)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -lm

# As the gem has it: REFORKD_RUBY=/usr/bin/ruby build/ext/reforkd ...
extension: ## the same as an extension of a Ruby, in build/ext
	@$(MAKE) --no-print-directory B=$(B)/ext OPT='$(OPT) -fPIC' extension-here
extension-here: $(B)/reforkd $(B)/reforkctl $(B)/reforkd_mold.so $(COMPAT)

gem: $(B)/reforkd.gem ## the gem, which compiles itself where it is installed
$(B)/reforkd.gem: contrib/gem/reforkd.gemspec $(shell find contrib/gem src include Makefile -type f 2>/dev/null)
	@mkdir -p $(@D)
	$(RUBY) -S gem build --quiet $< --output $@

$(COMPAT): $(B)/compat/%: src/ruby/compat/%
	@mkdir -p $(@D)
	cp $< $@

$(OBJ_MOLD) $(OBJ_FRONTS) $(OBJ_VM): override CFLAGS += $(RUBY_CFLAGS)

# Ruby code is compiled in as bytes.
RB_INC = $(RUBY_SOURCES:%=$(B)/%.inc)
$(B)/%.rb.inc: %.rb
	@mkdir -p $(@D)
	od -An -v -tx1 $< | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g' >$@
$(OBJ_MOLD) $(OBJ_VM): | $(RB_INC)
inc: $(RB_INC)
$(call o,mold,config): $(RB_INC)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Tests. A unit test is one file of t/unit; those that need Ruby are named.
CHECK_LIBS = $(shell pkg-config --libs check)
UNIT_VM = try
UNIT = $(filter-out $(UNIT_VM),$(basename $(notdir $(wildcard t/unit/*.c))))
UNIT_BIN = $(UNIT:%=$(B)/t/unit/%)
UNIT_VM_BIN = $(UNIT_VM:%=$(B)/t/unit/%)
FUZZ = $(filter-out replay,$(basename $(notdir $(wildcard t/fuzz/*.c))))
E2E = $(wildcard t/e2e/*.t)
COMPAT_TESTS = $(wildcard t/compat/*.t)
RULES = $(wildcard t/*.t)
LOAD_SRC = $(wildcard t/load/*.c)
T ?=
# They wait most of the time: two at once.
JOBS ?= 2
TAP = CK_TAP_LOG_FILE_NAME=- CK_VERBOSITY=silent prove --timer -e ''

$(B)/libreforkd.a: $(OBJ_PURE) $(call o,master,process) $(OBJ_CTL_PURE) $(OBJ_RELAY) $(OBJ_WORKER_PURE) $(OBJ_GC) $(OBJ_HTTP) $(OBJ_IPC) $(OBJ_BASE)
	rm -f $@ && ar rcs $@ $^

$(UNIT_BIN): $(B)/t/unit/%: t/unit/%.c $(B)/libreforkd.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(B)/libreforkd.a $(CHECK_LIBS) $(HTTP_LIB) $(LIBEV) -ljansson

$(UNIT_VM_BIN): $(B)/t/unit/%: t/unit/%.c $(OBJ_VM) $(B)/libreforkd.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RUBY_CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $^ $(CHECK_LIBS) $(RUBY_LIBS)

$(FUZZ:%=$(B)/t/fuzz/%): $(B)/t/fuzz/%: t/fuzz/%.c t/fuzz/replay.c $(B)/libreforkd.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(HTTP_LIB) -ljansson

$(B)/load: $(LOAD_SRC) $(wildcard t/load/*.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE -It/load $(OPT) $(WARN) -o $@ $(LOAD_SRC)

$(B)/deny: t/compat/deny.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(OPT) $(WARN) -o $@ $<

run: ## set up what is missing, start an example (PORT=8080, EXAMPLE=rails)
	@t/setup run $(if $(wildcard examples/$(EXAMPLE)/Gemfile),examples/$(EXAMPLE))
	@$(MAKE) --no-print-directory all
	@B=$(B) PORT=$(PORT) examples/start $(EXAMPLE)

check: ## set up what is missing, run every test
	@t/setup check pg
	@$(MAKE) --no-print-directory all unit rules e2e compat-own

# Those that need no Ruby, and the corpora of the fuzzers.
UNIT_PURE = $(filter-out $(B)/t/unit/mold $(B)/t/unit/mold_load $(B)/t/unit/mold_config,$(UNIT_BIN))

unit: $(B)/reforkd-mold $(UNIT_BIN) $(UNIT_VM_BIN) corpus ## unit tests (T=name for one)
	$(TAP) $(if $(T),$(B)/t/unit/$(T),$(UNIT_BIN) $(UNIT_VM_BIN))

unit-pure: $(UNIT_PURE) corpus
	$(TAP) $(UNIT_PURE)

corpus: $(FUZZ:%=$(B)/t/fuzz/%)
	@for f in $(FUZZ); do $(B)/t/fuzz/$$f t/fuzz/corpus/$${f#http_}/* >/dev/null || exit 1; done

rules: ## tests of the code base itself: layers, cards, headers, links
	B=$(B) CC="$(CC)" prove --timer $(RULES)

e2e: all other $(B)/load ## end-to-end tests (T=name for one, V=1 to see them)
	B=$(B) RUBY="$(RUBY)" prove -j$(JOBS) --timer --failures --comments $(if $(V),-v) $(if $(T),t/e2e/$(T).t,$(E2E))

compat: all other $(B)/load $(B)/deny $(UNIT_BIN) ## unicorn's and pitchfork's list (T=A9 for one number)
	B=$(B) RUBY="$(RUBY)" t/compat/report $(T)

# What `make e2e` has not run already.
compat-own: all $(B)/load $(B)/deny
	B=$(B) RUBY="$(RUBY)" prove -j$(JOBS) --timer --failures --comments $(COMPAT_TESTS)

asan: ## unit tests and fuzz corpora under ASan and UBSan
	@$(MAKE) --no-print-directory B=$(B)/asan \
	    OPT='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' unit-pure

FORMATTED = $(shell git ls-files '*.c' '*.h' | grep -v '\.def$$')

format: ## clang-format over every C file
	clang-format -i $(FORMATTED)

lint: ## clang-format, clang-tidy, cppcheck, mandoc
	@t/setup lint
	clang-format --dry-run -Werror $(FORMATTED)
	t/lint

bench: all $(B)/load ## the tables of docs/BENCH.md (TABLES="rps pss" for some)
	@t/setup bench
	B=$(B) RUBY="$(RUBY)" t/bench/all $(TABLES)

bench-malloc: all $(B)/load ## allocators under the Rails example (ARGS="--rounds 1")
	@t/setup bench
	B=$(B) RUBY="$(RUBY)" t/bench/all malloc $(ARGS)

install: all ## install below DESTDIR and PREFIX
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(B)/reforkd $(B)/reforkctl $(DESTDIR)$(BINDIR)
	install -m 755 $(B)/reforkd-mold $(DESTDIR)$(LIBEXECDIR)
	install -d $(DESTDIR)$(LIBEXECDIR)/compat/reforkd $(DESTDIR)$(LIBEXECDIR)/compat/unicorn $(DESTDIR)$(LIBEXECDIR)/compat/pitchfork
	install -m 644 src/ruby/compat/reforkd/*.rb $(DESTDIR)$(LIBEXECDIR)/compat/reforkd
	install -m 644 src/ruby/compat/*.rb $(DESTDIR)$(LIBEXECDIR)/compat
	install -m 644 src/ruby/compat/unicorn/*.rb $(DESTDIR)$(LIBEXECDIR)/compat/unicorn
	install -m 644 src/ruby/compat/pitchfork/*.rb $(DESTDIR)$(LIBEXECDIR)/compat/pitchfork
	install -d $(DESTDIR)$(LINKDIR)
	for name in $(NAMES); do ln -sf ../../../bin/reforkd $(DESTDIR)$(LINKDIR)/$$name; done
	install -m 644 docs/reforkd.8 docs/reforkctl.8 $(DESTDIR)$(MANDIR)/man8
	install -m 644 docs/reforkd.conf.5 $(DESTDIR)$(MANDIR)/man5
	install -d $(DESTDIR)$(UNITDIR)
	for unit in $(UNITS); do sed 's|/usr/local/bin|$(BINDIR)|' contrib/systemd/$$unit >$(DESTDIR)$(UNITDIR)/$$unit; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/reforkd $(DESTDIR)$(BINDIR)/reforkctl
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(PREFIX)/lib/reforkd
	rm -f $(UNITS:%=$(DESTDIR)$(UNITDIR)/%)
	rm -f $(DESTDIR)$(MANDIR)/man8/reforkd.8 $(DESTDIR)$(MANDIR)/man8/reforkctl.8 $(DESTDIR)$(MANDIR)/man5/reforkd.conf.5

clean: ## remove the build tree
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

.PHONY: all other extension extension-here gem inc run check unit rules e2e compat compat-own asan format lint bench bench-malloc install uninstall clean help
.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
