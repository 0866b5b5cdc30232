# SPDX-License-Identifier: MIT
# mptcpinfo and mptcpaddr; the broker has its own rules.mk.

MPTCPINFO_SRC := $(wildcard tools/mptcpinfo/*.c tools/mptcpinfo/*/*.c tools/common/*.c) \
		 shim/netlink/diag.c shim/netlink/request.c shim/manager/note_text.c shim/pool/addr.c shim/common/blackhole.c shim/common/unix_name.c

tools: $(B)/mptcpinfo

$(B)/mptcpinfo: $(call obj,$(MPTCPINFO_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) $(call pc,--libs,jansson)

$(B)/obj/tools/%.o: tools/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(NL_CFLAGS) $(call pc,--cflags,jansson) -c -o $@ $<

MPTCPADDR_SRC := $(wildcard tools/mptcpaddr/*.c) tools/mptcpaddrd/policy.c $(wildcard tools/common/*.c) \
		 tools/mptcpinfo/snapshot.c $(wildcard tools/mptcpinfo/collect/*.c) \
		 $(patsubst %,tools/mptcpinfo/print/%.c,explain text) \
		 $(patsubst %,shim/preload/%.c,blackhole broker env first forgotten fork launch \
		   log_request mode other_copy own owner pool_copy pool_file race real refused register \
		   setsockopt subscribe swap thread wake) \
		 $(COMMON_SRC) $(ENGINE_SRC) \
		 $(patsubst %,shim/netlink/%.c,diag pm_event request) shim/manager/note_text.c

tools: $(B)/mptcpaddr

# mptcpaddr finds the library in its own directory or, when installed, in LIBDIR.
$(B)/obj/tools/mptcpaddr/library.o: ALL_CFLAGS += -DLIBDIR='"$(LIBDIR)"'

$(B)/mptcpaddr: $(call obj,$(MPTCPADDR_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) $(call pc,--libs,libelf) -linih -lseccomp

$(patsubst %,$(B)/obj/tools/%/main.o,mptcpaddr mptcpinfo mptcpaddrd): \
	ALL_CFLAGS += -DMPTCPADDR_VERSION='"$(VERSION)"'
$(patsubst %,$(B)/obj/tools/%/main.o,mptcpaddr mptcpinfo mptcpaddrd): debian/changelog

include tools/mptcpaddrd/rules.mk
