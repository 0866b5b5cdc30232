# SPDX-License-Identifier: MIT
# Every folder of tests brings its own rules.mk, which adds to CHECKS.

CHECKS :=

include $(sort $(wildcard tests/*/rules.mk))

$(B)/obj/tests/%.o: tests/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(NL_CFLAGS) -Itests/lib -c -o $@ $<

check-run: all
	$(Q)$(MAKE) --no-print-directory $(CHECKS)

.PHONY: check-run $(CHECKS)
