# SPDX-License-Identifier: MIT
# mptcpinfo; the launcher and the broker come here too.

MPTCPINFO_SRC := $(wildcard tools/mptcpinfo/*.c) shim/pm/diag.c

tools: $(B)/mptcpinfo

$(B)/mptcpinfo: $(call obj,$(MPTCPINFO_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) $(call pc,--libs,jansson)

$(B)/obj/tools/%.o: tools/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(NL_CFLAGS) $(call pc,--cflags,jansson) -c -o $@ $<
