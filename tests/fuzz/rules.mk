# SPDX-License-Identifier: MIT
# Coverage-guided fuzzing by libFuzzer with AddressSanitizer and UBSan, in a separate
# build. make fuzz SECONDS=600 FUZZ='pool mode' runs these two for ten minutes each.

SECONDS ?= 60
FUZZ    ?= $(FUZZERS)
FUZZERS :=
FUZZ_CC ?= $(filter ccache,$(CC)) clang

# fuzzer NAME,SOURCES,LIBRARIES,WRAPPED - B/fuzz/NAME from tests/fuzz/NAME.c; calls of
# WRAPPED functions go to its own.
define fuzzer
FUZZERS += $(1)

$(B)/fuzz/$(1): $$(call obj,tests/fuzz/$(1).c $(2))
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) -fsanitize=fuzzer $$(SANFLAGS) $$(LDFLAGS) $$(addprefix -Wl$$(comma)--wrap=,$(4)) \
		-o $$@ $$^ $(3)
endef
comma := ,

FUZZ_POOL    := $(filter-out %/watch.c,$(wildcard shim/pool/*.c)) $(COMMON_SRC)
FUZZ_NETLINK := $(patsubst %,shim/netlink/%.c,pm_event diag request)
FUZZ_NLA     := $(patsubst %,nla_get_%,u8 u16 u32 u64)

$(eval $(call fuzzer,pool,$(FUZZ_POOL),-linih))
$(eval $(call fuzzer,mode,$(FUZZ_POOL) $(patsubst %,shim/preload/%.c,env log_request pool_file),-linih))
$(eval $(call fuzzer,broker_conf,tools/mptcpaddrd/policy.c $(FUZZ_POOL),-linih))
$(eval $(call fuzzer,event,$(FUZZ_NETLINK) shim/pool/addr.c $(COMMON_SRC),$(NL_LIBS),$(FUZZ_NLA)))
$(eval $(call fuzzer,diag,$(FUZZ_NETLINK) shim/pool/addr.c $(COMMON_SRC),$(NL_LIBS),$(FUZZ_NLA) socket bind send))
$(eval $(call fuzzer,control,$(ENGINE_SRC) $(FUZZ_NETLINK) shim/pool/watch.c $(COMMON_SRC) \
	shim/manager/control_server.c shim/manager/event_pump.c shim/manager/note_text.c,$(NL_LIBS) -linih))
$(eval $(call fuzzer,record,$(filter-out %/main.c,$(BROKER_SRC)),$(NL_LIBS) -linih -lcap-ng -lseccomp,\
	diag_read_owner diag_dump pm_command_send control_listen))
$(eval $(call fuzzer,manager,$(filter-out tools/mptcpinfo/main.c,$(MPTCPINFO_SRC)),\
	$(NL_LIBS) $(call pc,--libs,jansson),ctl_open ctl_find_names send recv))
$(eval $(call fuzzer,engine,$(filter-out %/explore.c %/walk.c,$(wildcard tests/model/*.c)) $(ENGINE_SRC) $(COMMON_SRC),-linih))

# Without that check: NULL + 0 is the end of an empty array here, as C2y allows.
FUZZ_MAKE = $(MAKE) --no-print-directory B=$(B)/fuzz CC='$(FUZZ_CC)' \
	SAN='address,undefined,fuzzer-no-link -fno-sanitize=pointer-overflow'

fuzz: deps
	$(Q)$(FUZZ_MAKE) $(addprefix $(B)/fuzz/fuzz/,$(FUZZ))
	$(Q)tests/fuzz/run $(B)/fuzz $(SECONDS) $(or $(JOBS),2) $(FUZZ)

# Add what $(B)/fuzz/corpus has found to the corpora in the tree, and keep them minimal.
fuzz-merge: deps
	$(Q)$(FUZZ_MAKE) $(addprefix $(B)/fuzz/fuzz/,$(FUZZ))
	$(Q)tests/fuzz/merge $(B)/fuzz $(FUZZ)

.PHONY: fuzz fuzz-merge
