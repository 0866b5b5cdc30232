# SPDX-License-Identifier: MIT
# Coverage of engine and pool by the unit tests, in a separate build. Fails below 95 % of
# lines or branches.

COVERED := $(filter-out %/addr.c,$(ENGINE_SRC))
COVERAGE_MIN ?= 95
# Excluded branches: those inside uthash and utlist macros, the impossible default of an
# exhaustive switch (lines count its cases), and saturated counters.
COVERAGE_HOW := --exclude-branches-by-pattern '.*\b((HASH_|DL_|COUNT)[A-Z_]* ?|switch )\(.*'

coverage: deps
	$(Q)$(MAKE) --no-print-directory B=$(B)/coverage CFLAGS='-O0 -g --coverage' \
		LDFLAGS=--coverage $(B)/coverage/tests/unit
	$(Q)find $(B)/coverage -name '*.gcda' -delete
	$(Q)$(B)/coverage/tests/unit -j1
	$(Q)gcovr --root . $(addprefix --filter ,$(COVERED)) $(COVERAGE_HOW) $(B)/coverage/obj
	$(Q)gcovr --root . $(addprefix --filter ,$(COVERED)) $(COVERAGE_HOW) --branches \
		--fail-under-line $(COVERAGE_MIN) --fail-under-branch $(COVERAGE_MIN) \
		$(B)/coverage/obj

.PHONY: coverage
