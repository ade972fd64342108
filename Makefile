# alknet: one makefile for everything. `make help` lists the targets.
#
#   make                               programs and libraries, into build/
#   make deps                          the Debian packages of build, demo and tests
#   make demo                          a tunnel on this machine
#   make test                          unit, e2e and interop, which also go alone
#   make fuzz TIME=60                  every fuzz target for a minute
#   make soak MINUTES=20               random traffic over a bad wire
#   make lint format                   what is checked of the sources; mend the format
#   make coverage                      which lines the tests reach
#   make bench                         figures beside OpenSSH and others
#   make install PREFIX=/usr/local     also uninstall; DESTDIR= for packages
#   make clean
#   make SANITIZE=address,undefined    a separate tree, build/address-undefined
#   make CC=clang V=1 WERROR=1         another compiler, full commands, strict
#
# Adding a source file needs no edit here: every .c under a library's src/, a
# program's cmd/NAME/, test/unit/LIB/ and test/fuzz/LIB/ is found by its place.

VERSION := 0.1.0
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
PYTHON ?= /usr/bin/python3
V ?= 0
WERROR ?= 0
SANITIZE ?=
comma := ,

# ---- variants: each set of flags has its own object tree --------------------
ifneq ($(SANITIZE),)
BUILD ?= build/$(subst $(comma),-,$(SANITIZE))
else
BUILD ?= build
endif
ifeq ($(strip $(BUILD)),)
$(error BUILD is empty: everything would be built in /)
endif

OPTIMISE ?= -O2 -g
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes \
        -Wmissing-prototypes -Wwrite-strings -Wundef -Wformat=2 -Wcast-qual
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fno-plt
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack
ifeq ($(SANITIZE),)
HARDEN += -D_FORTIFY_SOURCE=2
else
SANFLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
endif
ifeq ($(WERROR),1)
WARN += -Werror
endif

# ---- libraries: what each holds and may use ---------------------------------
LIBS := $(foreach l,schema core secret storage flowgraph,$(if $(wildcard libalk-$l/src),$l))
PKGS_core      := libevent_core libevent_pthreads libsodium libssl libcrypto libssh libssh2 inih zlib
USES_core      :=
PKGS_schema    := jansson libpcre2-8
USES_schema    :=
PKGS_secret    := libsodium libcrypto nettle libsecp256k1 libutf8proc jansson
USES_secret    :=
PKGS_storage   := lmdb libsodium jansson
USES_storage   := schema
PKGS_flowgraph := jansson
USES_flowgraph := schema

PROGRAMS := $(notdir $(patsubst %/,%,$(wildcard cmd/*/)))
PROGRAM_LIBS := $(filter core secret,$(LIBS))

# the packages of a library and of those it uses, and its archives in link order
pkgs = $(PKGS_$1) $(foreach u,$(USES_$1),$(PKGS_$u))
archives = $(foreach l,$1 $(USES_$1),$(BUILD)/lib/libalk-$l.a)
# -isystem: warnings in others' headers are not ours to mend
pkg_cflags = $(if $(strip $1),$(patsubst -I%,-isystem %,$(shell pkg-config --cflags $1)))
pkg_libs = $(if $(strip $1),$(shell pkg-config --libs $1)) -lpthread

CFLAGS_ALL = -std=c11 -D_GNU_SOURCE -DALK_VERSION='"$(VERSION)"' $(WARN) $(OPTIMISE) $(HARDEN) $(SANFLAGS) $(CFLAGS)
LDFLAGS_ALL = $(HARDEN_LD) $(SANFLAGS) $(LDFLAGS)

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n' $1 $2
endif

.SECONDARY: # keep the objects of the tests

.PHONY: all
all: libs programs

# ---- compile ----------------------------------------------------------------
# $(call compile_rules,FOLDER,INCLUDES,PACKAGES): objects of every .c below FOLDER
define compile_rules
$(BUILD)/obj/$1/%.o: CPPFLAGS_HERE := $2 $(call pkg_cflags,$3)
$(BUILD)/obj/$1/%.o: $1/%.c
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(CFLAGS_ALL) $$(CPPFLAGS_HERE) -MMD -MP -c $$< -o $$@
endef
sources = $(shell find $1 -name '*.c' 2>/dev/null | LC_ALL=C sort)
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(call sources,$1))
public_includes = $(foreach l,$1 $(USES_$1),-Ilibalk-$l/include)

define library_rules
OBJS_$1 := $(call objects,libalk-$1/src)
$(call compile_rules,libalk-$1,$(call public_includes,$1) -Ilibalk-$1/src,$(call pkgs,$1))
$(BUILD)/lib/libalk-$1.a: $$(OBJS_$1)
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call library_rules,$l)))

program_includes := -Icmd/common $(foreach l,$(PROGRAM_LIBS),$(call public_includes,$l))
program_pkgs := $(sort jansson $(foreach l,$(PROGRAM_LIBS),$(call pkgs,$l)))
program_archives := $(foreach l,$(PROGRAM_LIBS),$(call archives,$l))
$(eval $(call compile_rules,cmd,$(program_includes),$(program_pkgs)))
define program_rules
$(BUILD)/bin/$1: $(call objects,cmd/$1) $(call objects,cmd/common) $(program_archives)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $(call pkg_libs,$(program_pkgs))
endef
$(foreach p,$(filter-out common,$(PROGRAMS)),$(eval $(call program_rules,$p)))

.PHONY: libs programs
libs: $(foreach l,$(LIBS),$(BUILD)/lib/libalk-$l.a)
programs: $(foreach p,$(filter-out common,$(PROGRAMS)),$(BUILD)/bin/$p)

# ---- unit tests: test/unit/LIB/[FOLDER/]NAME_test.c is one cmocka program ----
# Tests may include the library's private headers; test/unit/LIB/support/*.c is
# linked into each of them, with the linker flags in support/link-flags.
define unit_rules
UNIT_$1 := $(patsubst test/unit/%.c,$(BUILD)/test/unit/%,$(wildcard test/unit/$1/*_test.c test/unit/$1/*/*_test.c))
$(call compile_rules,test/unit/$1,$(call public_includes,$1) -Ilibalk-$1/src -Itest/unit/$1,$(call pkgs,$1) cmocka)
$(BUILD)/test/unit/$1/%: $(BUILD)/obj/test/unit/$1/%.o $(call objects,test/unit/$1/support) $(call archives,$1)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) $(shell cat test/unit/$1/support/link-flags 2>/dev/null) -o $$@ $$^ \
	    $(call pkg_libs,$(call pkgs,$1) cmocka)
endef
ifneq ($(filter unit unit-% test check conformance-page,$(MAKECMDGOALS)),)
$(foreach l,$(LIBS),$(eval $(call unit_rules,$l)))
endif
UNIT_ALL = $(foreach l,$(LIBS),$(UNIT_$l))
# make unit UNIT="dial socks": these test programs only
UNIT_CHOSEN = $(if $(UNIT),$(foreach u,$(UNIT),$(filter %/$u_test,$(UNIT_ALL))),$(UNIT_ALL))

.PHONY: npm unit unit-build e2e test
# the npm packages that unit tests compare with; needs the network once
npm: build/npm/.installed
build/npm/.installed: test/npm/package.json
	@test/npm/install
	@touch $@
unit-build: $(UNIT_CHOSEN)
unit: npm unit-build
	@test/run-unit $(UNIT_CHOSEN)
unit-%:                          # make unit-core: one library's unit tests
	@$(MAKE) --no-print-directory unit-build
	@test/run-unit $(UNIT_$*)
# test/e2e/support/NAME.c is a helper program of the suite
E2E_HELPERS := $(patsubst test/e2e/support/%.c,$(BUILD)/test/e2e/%,$(wildcard test/e2e/support/*.c))
$(eval $(call compile_rules,test/e2e,$(call public_includes,core),$(call pkgs,core)))
$(BUILD)/test/e2e/%: $(BUILD)/obj/test/e2e/support/%.o $(call archives,core)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call pkg_libs,$(call pkgs,core))
.PHONY: e2e-build
e2e-build: programs $(E2E_HELPERS)
# they wait more than they work
E2E_JOBS ?= $(shell expr 2 '*' $$(nproc))
e2e: npm e2e-build
	@ALK_BIN=$(abspath $(BUILD))/bin $(PYTHON) -m pytest -q -p no:cacheprovider -n $(E2E_JOBS) test/e2e $(PYTEST)
# test/interop/tunnels/NAME_client.c drives one C library of other people as a client
INTEROP_CLIENTS := $(patsubst test/interop/tunnels/%.c,$(BUILD)/test/interop/%,$(wildcard test/interop/tunnels/*_client.c))
ifneq ($(filter interop interop-build test,$(MAKECMDGOALS)),)
$(eval $(call compile_rules,test/interop,,libssh libssh2))
endif
$(BUILD)/test/interop/%_client: $(BUILD)/obj/test/interop/tunnels/%_client.o $(BUILD)/obj/test/interop/tunnels/tunnel.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call pkg_libs,$*)
.PHONY: interop interop-build interop-page
interop-build: programs npm $(INTEROP_CLIENTS)
# make interop ALK_INTEROP_RESULT=FILE.json keeps the results for `make interop-page`
interop: interop-build
	@ALK_BIN=$(abspath $(BUILD))/bin ALK_INTEROP=$(abspath $(BUILD))/test/interop \
	    $(PYTHON) -m pytest -q -p no:cacheprovider test/interop $(PYTEST)
# RESULTS: files of complete runs, one for each system
interop-page:
	@test/interop/page $(RESULTS) > docs/interop.md
# make soak MINUTES=20 SEED=1 TUNNEL=alknet|ssh|sshd; a run prints its seed
MINUTES ?= 20
TUNNEL ?= alknet
.PHONY: soak conformance-page
soak: programs
	@ALK_BIN=$(abspath $(BUILD))/bin $(PYTHON) -B test/soak/run.py --minutes $(MINUTES) \
	    --tunnel $(TUNNEL) $(if $(SEED),--seed $(SEED))
# docs/conformance.md, from the tables of the tests
CONFORMANCE := rfc4253 rfc4252 rfc4254 extensions
conformance-page:
	@$(MAKE) --no-print-directory UNIT="$(CONFORMANCE)" unit-build
	@{ cat test/unit/core/conformance/page.md; \
	    for t in $(CONFORMANCE); do $(BUILD)/test/unit/core/conformance/$${t}_test --list || exit 1; done; \
	} > docs/conformance.md
test: unit e2e interop

# ---- fuzzing: test/fuzz/LIB/NAME_fuzz.c with seeds in test/fuzz/LIB/seeds/NAME/
# test/fuzz/LIB/support/*.c is linked into each of them.
# `make fuzz TIME=60` runs every target for 60 seconds; a finding stays in build/fuzz.
TIME ?= 10
FUZZ_FLAGS = SANITIZE=fuzzer-no-link,address,undefined BUILD=build/fuzz CC=clang \
             CFLAGS=-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
define fuzz_rules
FUZZ_$1 := $(patsubst test/fuzz/%.c,$(BUILD)/test/fuzz/%,$(wildcard test/fuzz/$1/*_fuzz.c))
$(call compile_rules,test/fuzz/$1,$(call public_includes,$1) -Ilibalk-$1/src -Itest/fuzz/$1,$(call pkgs,$1))
$(BUILD)/test/fuzz/$1/%: $(BUILD)/obj/test/fuzz/$1/%.o $(call objects,test/fuzz/$1/support) $(call archives,$1)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -fsanitize=fuzzer -o $$@ $$^ $(call pkg_libs,$(call pkgs,$1))
endef
ifneq ($(filter fuzz-build,$(MAKECMDGOALS)),)
$(foreach l,$(LIBS),$(eval $(call fuzz_rules,$l)))
endif

.PHONY: fuzz fuzz-build
fuzz-build: $(foreach l,$(LIBS),$(FUZZ_$l))
fuzz:
	@$(MAKE) --no-print-directory $(FUZZ_FLAGS) fuzz-build
	@test/run-fuzz build/fuzz $(TIME)

# ---- benchmarks: test/bench/tools/NAME.c is one load tool, and so is
# test/bench/LIB/NAME.c, linked with that library
BENCH_PKGS_flowgraph := igraph # the peer that it is measured beside
bench_pkgs = $(call pkgs,$1) $(BENCH_PKGS_$1)
bench_includes = -Itest/bench/tools/common $(call public_includes,$1)
# $(call bench_rules,FOLDER,WHERE,LIB): programs WHERE/NAME from test/bench/FOLDER/NAME.c
define bench_rules
.PRECIOUS: $(BUILD)/obj/test/bench/$1/%.o
BENCH_TOOLS += $(patsubst test/bench/$1/%.c,$2/%,$(wildcard test/bench/$1/*.c))
$(call compile_rules,test/bench/$1,$(call bench_includes,$3),$(call bench_pkgs,$3))
$2/%: $(BUILD)/obj/test/bench/$1/%.o $(call objects,test/bench/tools/common) $(call archives,$3)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LDFLAGS_ALL) -o $$@ $$^ $(call pkg_libs,$(call bench_pkgs,$3))
endef
ifneq ($(filter bench bench-tools,$(MAKECMDGOALS)),)
$(foreach l,$(LIBS),$(eval $(call bench_rules,$l,$(BUILD)/bench/$l,$l)))
$(eval $(call bench_rules,tools,$(BUILD)/bench,core))
endif
.PHONY: bench bench-tools
bench-tools: $(BENCH_TOOLS)
bench:
	@packaging/install-packages build bench
	@$(MAKE) --no-print-directory programs bench-tools
	@ALK_BIN=$(abspath $(BUILD))/bin ALK_BENCH=$(abspath $(BUILD))/bench $(PYTHON) test/bench/run.py $(BENCH)

# ---- checks at the desk -------------------------------------------------------
C_FILES = $(shell find libalk-* cmd test examples -name '*.[ch]' | LC_ALL=C sort)
.PHONY: format lint coverage
format:
	clang-format -i $(C_FILES)
lint:
	@PKG_CONFIG_LIBS="$(sort $(foreach l,$(LIBS),$(call pkgs,$l)) cmocka)" packaging/lint

coverage:
	@packaging/install-packages coverage
	@$(MAKE) --no-print-directory BUILD=build/coverage OPTIMISE="-Og -g --coverage" LDFLAGS=--coverage test
	@lcov -q -c -d build/coverage -b . -o build/coverage/lcov.info --no-external && \
	 genhtml -q build/coverage/lcov.info -o build/coverage/html && \
	 echo "open build/coverage/html/index.html"

# ---- the rest ------------------------------------------------------------------
.PHONY: deps demo clean help
GROUPS ?= build demo test
deps:
	@packaging/install-packages $(GROUPS)
	@case " $(GROUPS) " in *" test "* | *" bench "*) test/npm/install ;; esac
demo: programs
	@packaging/demo $(DEMO)
clean:
	rm -rf build
help:
	@sed -n 's/^#   \(make .*\)/\1/p' Makefile

# ---- install: headers, archives, pkg-config files, programs, manual pages ------
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig \
	    $(DESTDIR)$(PREFIX)/include/alk $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5
	set -e; $(foreach p,$(filter-out common,$(PROGRAMS)),install -m 755 $(BUILD)/bin/$p $(DESTDIR)$(PREFIX)/bin/;)
	set -e; $(foreach l,$(LIBS),install -m 644 $(BUILD)/lib/libalk-$l.a $(DESTDIR)$(LIBDIR)/;)
	set -e; $(foreach l,$(LIBS),install -m 644 $(wildcard libalk-$l/include/alk/*.h) $(DESTDIR)$(PREFIX)/include/alk/;)
	set -e; $(foreach l,$(LIBS),packaging/pkgconfig libalk-$l $(VERSION) $(PREFIX) $(LIBDIR) "$(PKGS_$l) $(USES_$l:%=libalk-%)" \
	    > $(DESTDIR)$(LIBDIR)/pkgconfig/libalk-$l.pc;)
	$(if $(wildcard docs/man/*.5),install -m 644 $(wildcard docs/man/*.5) $(DESTDIR)$(PREFIX)/share/man/man5/)
	$(if $(wildcard docs/man/*.1),install -m 644 $(wildcard docs/man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1/)

.PHONY: uninstall
uninstall:
	rm -f $(patsubst %,$(DESTDIR)$(PREFIX)/bin/%,$(filter-out common,$(PROGRAMS))) \
	    $(foreach l,$(LIBS),$(DESTDIR)$(LIBDIR)/libalk-$l.a $(DESTDIR)$(LIBDIR)/pkgconfig/libalk-$l.pc) \
	    $(patsubst %,$(DESTDIR)$(PREFIX)/include/alk/%,$(notdir $(wildcard libalk-*/include/alk/*.h))) \
	    $(patsubst docs/man/%.1,$(DESTDIR)$(PREFIX)/share/man/man1/%.1,$(wildcard docs/man/*.1)) \
	    $(patsubst docs/man/%.5,$(DESTDIR)$(PREFIX)/share/man/man5/%.5,$(wildcard docs/man/*.5))
	-rmdir $(DESTDIR)$(PREFIX)/include/alk

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
