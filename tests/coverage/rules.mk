# SPDX-License-Identifier: MIT
# What the unit tests reach of the engine and the pool, in a build of its own. Fails below
# 95 % of lines or branches.

COVERED := $(filter-out %/addr.c,$(ENGINE_SRC))
COVERAGE_MIN ?= 95
# Not ours: what uthash's and utlist's macros do inside. Not there: the value that none of
# the cases of an exhaustive switch has; what they do is counted as lines. And a counter
# that has had enough.
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
