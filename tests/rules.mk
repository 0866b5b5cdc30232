# SPDX-License-Identifier: MIT
# Each directory of tests has a rules.mk; one with its own tests calls suite.

CHECKS :=

# suite DIRECTORY,SOURCES,LIBRARIES,PREREQUISITES[,GOAL] - the program
# B/tests/DIRECTORY from tests/DIRECTORY/*.c and SOURCES, and the goal that runs it, GOAL or
# check-DIRECTORY.
#
# make check-NAME TESTS='pool/*' runs one Criterion suite; JOBS=1 one test at a time, V=1
# shows times, SEED=N repeats a run of random tests. A rules.mk may set SUITE_JOBS and
# SUITE_UNDER, a program that starts the tests, for check-NAME.
define suite
$(B)/tests/$(1): $$(call obj,$$(wildcard tests/$(1)/*.c) $(2)) $(B)/tests/libtest.a
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(SANFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(NL_LIBS) -lcriterion $(3)

$(or $(5),check-$(1)): $(B)/tests/$(1) $(4)
	$$(call say,TEST,$$<)
	$$(Q)CC='$$(CC)' LSAN_OPTIONS=suppressions=tests/lib/lsan.supp $$(SUITE_UNDER) $$< \
		-j$$(or $$(JOBS),$$(SUITE_JOBS),4) $$(if $$(filter 1,$$(V)),--verbose) \
		$$(if $$(TESTS),--filter '$$(TESTS)')

CHECKS += $(or $(5),check-$(1))
endef

include $(sort $(wildcard tests/*/rules.mk))

$(B)/obj/tests/%.o: tests/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(NL_CFLAGS) -Itests/lib -c -o $@ $<

check-run: all
	$(Q)$(MAKE) --no-print-directory $(CHECKS)

.PHONY: check-run $(CHECKS)
