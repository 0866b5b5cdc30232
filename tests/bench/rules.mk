# SPDX-License-Identifier: MIT
# The costs of the library, measured against its peers in one run. A table, not a test: times
# depend on the machine, so CHECKS has no benchmark.

BENCH_SRC   := $(wildcard tests/bench/*.c)
BENCH_PROGS := $(patsubst tests/bench/prog/%.c,$(B)/tests/bench-%,\
	$(wildcard tests/bench/prog/*.c))

BENCH_REAL  := $(ENGINE_SRC) $(COMMON_SRC)

$(B)/tests/bench: $(call obj,$(BENCH_SRC) $(BENCH_REAL)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -lm

$(B)/tests/bench-%: $(B)/obj/tests/bench/prog/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $<

$(B)/tests/bench-static-%: $(B)/obj/tests/bench/prog/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -static -o $@ $< -pthread

# LINE='connects/after the first, median' runs one line, or those with that text;
# PARTS='startup connects' these of the parts in main.c.
bench-run: lib $(B)/mptcpinfo $(B)/mptcpaddr $(B)/mptcpaddrd $(B)/tests/bench-static-rate $(B)/tests/bench $(BENCH_PROGS) $(TEST_APPS)
	$(Q)$(B)/tests/bench $(if $(LINE),--line '$(LINE)',$(PARTS))

.SECONDARY: $(patsubst %.c,$(B)/obj/%.o,$(wildcard tests/bench/prog/*.c))
.PHONY: bench-run
