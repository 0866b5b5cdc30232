# SPDX-License-Identifier: MIT
# Tests without a kernel path manager: the engine, its tables, pool files.

UNIT_REAL := $(ENGINE_SRC) $(patsubst %,shim/manager/%.c,event_pump metered note_text control_server) \
	     $(patsubst %,shim/netlink/%.c,pm_event request diag) shim/pool/watch.c $(COMMON_SRC) \
	     $(patsubst %,shim/preload/%.c,mode pool_file pool_copy env log_request refused blackhole register broker owner)

$(eval $(call suite,unit,$(UNIT_REAL),-linih -pthread))

# The same without Criterion, which few architectures have: see tests/cross.
$(B)/tests/unit-plain: ALL_CFLAGS += -Itests/cross
$(B)/tests/unit-plain: $(call obj,$(wildcard tests/unit/*.c) $(UNIT_REAL) tests/lib/sandbox.c \
		       tests/cross/runner.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -pthread

# With AddressSanitizer and UBSan, in a separate build. Programs under the library preload
# the sanitizer's run-time library first. Of the network tests, only those of the library:
# the hundreds of comparisons with the kernel exercise the same code.
check-san: deps
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-unit check-info
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-net \
		TESTS='@(pool|live)/*'

.PHONY: check-san
