# SPDX-License-Identifier: MIT
# mptcpinfo: its parts, and its output compared with ss and nstat.

INFO_LIAR     := $(B)/tests/info-liar
INFO_PARTS    := $(patsubst %,tools/mptcpinfo/%.c,snapshot \
		 collect/filter collect/process collect/device print/text monitor/traffic) \
		 shim/manager/note_text.c shim/pool/addr.c

$(INFO_LIAR): $(call obj,tests/info/prog/liar.c)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $<

# The tests find these files in their own directory.
INFO_DATA := $(patsubst %,$(B)/tests/%.py,validate exposition prohibit forks page) \
	     $(B)/tests/mptcpinfo.schema.json $(B)/tests/mptcpinfo.8

$(B)/tests/%.py: tests/info/prog/%.py
	$(Q)install -D $< $@

$(B)/tests/%.json: tools/mptcpinfo/%.json
	$(Q)install -D -m 644 $< $@

$(B)/tests/%.8: tools/mptcpinfo/%.8
	$(Q)install -D -m 644 $< $@

$(eval $(call suite,info,$(INFO_PARTS),-ljansson -lm,\
	$(INFO_LIAR) $(INFO_DATA) $(TEST_APPS) $(B)/mptcpinfo $(B)/mptcpaddrd lib))
