# SPDX-License-Identifier: MIT
# The broker: the engine and the netlink code of the path manager library, with a loop of
# its own.

BROKER_SRC := $(wildcard tools/mptcpaddrd/*.c) \
	      shim/preload/subscribe.c $(COMMON_SRC) $(ENGINE_SRC) shim/pool/watch.c $(NETLINK_SRC) \
	      $(patsubst %,shim/manager/%.c,event_pump metered first_check note_text control_server slice)

tools: $(B)/mptcpaddrd

$(B)/mptcpaddrd: $(call obj,$(BROKER_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -lcap-ng -lseccomp
