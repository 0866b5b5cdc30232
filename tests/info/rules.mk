# SPDX-License-Identifier: MIT
# mptcpinfo: its parts, and the whole of it beside ss and nstat.

INFO_TEST_SRC := $(wildcard tests/info/*.c)
INFO_LIAR     := $(B)/tests/info-liar
INFO_PARTS    := $(patsubst %,tools/mptcpinfo/%.c,index model text)

$(INFO_LIAR): $(call obj,tests/info/prog/liar.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $<

$(B)/tests/info: $(call obj,$(INFO_TEST_SRC) $(INFO_PARTS)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -lcriterion -ljansson -lm

check-info: $(B)/tests/info $(INFO_LIAR) $(TEST_APPS) $(B)/mptcpinfo lib
	$(call say,TEST,$<)
	$(Q)$< $(TEST_ARGS)

CHECKS += check-info
