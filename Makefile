# SPDX-License-Identifier: MIT
#
# make          build into build/
# make demo     curl over three paths, in network namespaces
# make check    run all tests
# Variables: V=1 shows the commands; DEV=1 makes warnings errors; SAN=address,undefined
# builds with sanitizers; B=DIR builds elsewhere; CC=clang; PKG_CONFIG for cross builds.

B   ?= build
V   ?= 0
DEV ?= 0
SAN ?=

PKG_CONFIG ?= pkg-config
PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
# The only place with the version.
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)

CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wvla -Wno-unused-parameter -Wno-psabi
ifeq ($(DEV),1)
WARN    += -Werror
endif
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

pc       = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)
NL_CFLAGS    = $(call pc,--cflags,libnl-3.0 libnl-genl-3.0)
NL_LIBS      = $(call pc,--libs,libnl-3.0 libnl-genl-3.0)

# The option, if this compiler has it.
option = $(shell $(CC) -Werror $(1) -fsyntax-only -x c /dev/null 2>/dev/null && echo $(1))

# The map keeps the path of the build directory out of the files.
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -Iinclude -I. -MMD -MP $(WARN) \
	     -ffile-prefix-map=$(CURDIR)=. $(CFLAGS) $(SANFLAGS)
LIB_CFLAGS = $(ALL_CFLAGS) -fPIC -fvisibility=hidden

# One list of sources per program; each directory of tests/ adds its own in rules.mk.
PRELOAD_SRC := $(wildcard shim/preload/*.c)
COMMON_SRC  := $(wildcard shim/common/*.c)
# Without I/O: tests link these files unchanged.
ENGINE_SRC  := $(wildcard shim/engine/*.c) $(filter-out %/watch.c,$(wildcard shim/pool/*.c))
NETLINK_SRC := $(wildcard shim/netlink/*.c)
PM_SRC      := $(ENGINE_SRC) shim/pool/watch.c $(NETLINK_SRC) $(wildcard shim/manager/*.c)

all: lib tools
	@:

lib: $(B)/libmptcpaddr.so $(B)/libmptcpaddr-pm.so

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

# Each exec pays for a preloaded library, so: two segments instead of four, which saves two
# mappings; no start files, which saves four symbol lookups; no RELRO, which would cost a
# system call and protect nothing (lazy binding keeps the table writable).
$(B)/libmptcpaddr.so: $(call obj,$(PRELOAD_SRC) $(COMMON_SRC)) shim/preload/export.map shim/preload/data.ld
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(SANFLAGS) $(LDFLAGS) -Wl,-soname,libmptcpaddr.so -Wl,-z,defs \
		-nostartfiles -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-O1 -Wl,--hash-style=gnu \
		-Wl,--version-script=shim/preload/export.map -Wl,-T,shim/preload/data.ld \
		-Wl,-rpath,'$$ORIGIN' \
		-Wl,--enable-new-dtags -o $@ $(filter %.o,$^)

# Loaded while the first SYN is on its way: only the libraries that are used.
$(B)/libmptcpaddr-pm.so: $(call obj,$(PM_SRC) $(COMMON_SRC)) shim/manager/export.map
	$(call say,LINK,$@)
	$(Q)$(CC) -shared $(SANFLAGS) $(LDFLAGS) -Wl,-soname,libmptcpaddr-pm.so -Wl,-z,defs \
		-Wl,--version-script=shim/manager/export.map -o $@ $(filter %.o,$^) \
		-Wl,--as-needed $(NL_LIBS) -linih

# Keep small loops: see shim/common/str.h.
$(B)/obj/shim/preload/%.o $(B)/obj/shim/common/%.o: LIB_CFLAGS += $(call option,-fno-tree-loop-distribute-patterns)

$(B)/obj/shim/%.o: shim/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LIB_CFLAGS) $(if $(filter-out shim/preload/% shim/common/%,$<),$(NL_CFLAGS)) -c -o $@ $<

include tools/rules.mk tools/install.mk tests/rules.mk

# User goals: install missing packages, then build.
demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tools/demo/demo $(B)

check: deps
	$(Q)$(MAKE) --no-print-directory check-run

bench: deps
	$(Q)$(MAKE) --no-print-directory bench-run

# Install what a fresh Debian 12 or 13 lacks for these goals, or for all. Silent if complete.
deps:
	$(Q)tools/deps $(filter demo check fuzz soak races helgrind bench lint deb rpm check-apps check-install check-systemd,$(MAKECMDGOALS))

lint: deps
	$(Q)CC='$(CC)' tools/lint $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Werror -DMPTCPADDR_VERSION='"0"' $(NL_CFLAGS) -Itests/lib

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

.PHONY: all lib tools deps demo check bench lint clean
.DELETE_ON_ERROR:
