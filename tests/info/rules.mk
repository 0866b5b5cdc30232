# SPDX-License-Identifier: MIT
# mptcpinfo: its parts, and the whole of it beside ss and nstat.

INFO_TEST_SRC := $(wildcard tests/info/*.c)
INFO_LIAR     := $(B)/tests/info-liar
INFO_PARTS    := $(patsubst %,tools/mptcpinfo/%.c,snapshot \
		 collect/index collect/remote print/reason print/text)

$(INFO_LIAR): $(call obj,tests/info/prog/liar.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $<

$(B)/tests/info: $(call obj,$(INFO_TEST_SRC) $(INFO_PARTS)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -lcriterion -ljansson -lm

# Found by the tests beside themselves.
INFO_DATA := $(patsubst %,$(B)/tests/%.py,validate exposition prohibit forks) \
	     $(B)/tests/mptcpinfo.schema.json $(B)/tests/mptcpinfo.8

$(B)/tests/%.py: tests/info/prog/%.py
	$(Q)install -D $< $@

$(B)/tests/%.json: tools/mptcpinfo/%.json
	$(Q)install -D -m 644 $< $@

$(B)/tests/%.8: tools/mptcpinfo/%.8
	$(Q)install -D -m 644 $< $@

check-info: $(B)/tests/info $(INFO_LIAR) $(INFO_DATA) $(TEST_APPS) $(B)/mptcpinfo lib
	$(call say,TEST,$<)
	$(Q)LSAN_OPTIONS=suppressions=tests/lib/lsan.supp $< $(TEST_ARGS)

CHECKS += check-info
