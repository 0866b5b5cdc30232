# SPDX-License-Identifier: MIT
# The exact lines of the bench: instructions of our own code, system calls, allocations.
#
# A rise over tests/guard/figures is a failure: an instruction count of 2 %, anything else
# of 1. Instructions are those of Debian 12's gcc on x86_64 with the default CFLAGS; other
# builds are not compared. `make guard-update` writes the figures anew.

GUARD_EXACT := $(if $(filter-out -O2 -g,$(CFLAGS))$(SANFLAGS),0,1)
GUARD_PROGS := $(B)/tests/guard-life $(B)/tests/bench-sockets $(B)/tests/bench-connects

$(B)/obj/tests/guard/guard.o: ALL_CFLAGS += -DGUARD_EXACT=$(GUARD_EXACT)

$(B)/tests/guard-life: $(call obj,tests/guard/prog/life.c tests/bench/life.c $(ENGINE_SRC) $(COMMON_SRC))
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ -linih

$(B)/tests/guard.figures: tests/guard/figures
	$(Q)install -D -m 644 $< $@

$(eval $(call suite,guard,$(patsubst %,tests/bench/%.c,count hosts report),-lm,\
	$(GUARD_PROGS) $(B)/tests/guard.figures $(B)/mptcpaddrd $(TEST_APPS) lib))

guard-update:
	$(Q)printf '# SPDX-License-Identifier: MIT\n# gcc 12, x86_64: see rules.mk\n' >tests/guard/figures
	$(Q)GUARD_UPDATE=tests/guard/figures $(MAKE) --no-print-directory check-guard JOBS=1

.PHONY: guard-update
