# SPDX-License-Identifier: MIT
# The broker: the engine and the netlink code of the path manager library, with a log and
# a loop of its own.

BROKER_SRC := $(wildcard tools/mptcpaddrd/*.c) shim/preload/subscribe.c \
	      $(filter-out $(patsubst %,shim/pm/%.c,manager intake quiet listeners doors estate), \
		$(wildcard shim/pm/*.c))

tools: $(B)/mptcpaddrd

$(B)/mptcpaddrd: $(call obj,$(BROKER_SRC))
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -lcap-ng -lseccomp
