# SPDX-License-Identifier: MIT
# Tests that need no kernel's path manager: the engine, its tables, pool files.

UNIT_SRC  := $(wildcard tests/unit/*.c)
UNIT_REAL := $(ENGINE_SRC) $(patsubst %,shim/manager/%.c,event_queue control_server) \
	     $(patsubst %,shim/netlink/%.c,pm_event rtnl) shim/pool/watch.c shim/common/log.c \
	     $(patsubst %,shim/preload/%.c,mode pool_file env stderr register broker)

$(B)/tests/unit: $(call obj,$(UNIT_SRC) $(UNIT_REAL)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -lcriterion -pthread

# TESTS='engine/*' runs some of them; SEED=N repeats a run of the random histories.
check-unit: $(B)/tests/unit
	$(call say,TEST,$<)
	$(Q)$< $(if $(TESTS),--filter '$(TESTS)')

# The same under AddressSanitizer and UBSan, in a build of its own; programs that the
# network tests preload are preceded by the sanitizer's run-time library. Of the network
# tests those that look at the shim by itself: the comparisons with the kernel, by the
# hundred, walk the same code.
check-san: deps
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-unit check-info
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-net \
		TESTS='@(pool|live)/*'

CHECKS += check-unit

.PHONY: check-san
