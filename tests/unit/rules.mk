# SPDX-License-Identifier: MIT
# Tests that need no kernel's path manager: the engine, its tables, pool files.

UNIT_REAL := $(ENGINE_SRC) $(patsubst %,shim/manager/%.c,event_queue control_server) \
	     $(patsubst %,shim/netlink/%.c,pm_event rtnl) shim/pool/watch.c shim/common/log.c \
	     $(patsubst %,shim/preload/%.c,mode pool_file env register broker owner)

$(eval $(call suite,unit,$(UNIT_REAL),-linih -pthread))

# The same under AddressSanitizer and UBSan, in a build of its own; programs that the
# network tests preload are preceded by the sanitizer's run-time library. Of the network
# tests those that look at the shim by itself: the comparisons with the kernel, by the
# hundred, walk the same code.
check-san: deps
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-unit check-info
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined check-net \
		TESTS='@(pool|live)/*'

.PHONY: check-san
