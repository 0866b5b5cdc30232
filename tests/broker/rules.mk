# SPDX-License-Identifier: MIT
# mptcpaddrd, with ordinary and with malicious users.

BROKER_REAL     := $(patsubst %,tools/mptcpaddrd/%.c,message policy) \
		   $(patsubst %,shim/pool/%.c,addr parse endpoint accept ini_reader) $(COMMON_SRC)

$(B)/tests/broker-native: tests/broker/prog/native.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -static -o $@ $<

$(B)/tests/broker-activate: tests/broker/prog/activate.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -o $@ $<

$(B)/tests/broker-corpus: $(wildcard tests/broker/corpus/*)
	$(Q)rm -rf $@ && mkdir -p $@ && cp $^ $@

$(B)/tests/%.service: config/systemd/%.service
	$(Q)install -D -m 644 $< $@

$(eval $(call suite,broker,$(BROKER_REAL),-linih,\
	$(B)/tests/broker-native $(B)/tests/broker-activate $(B)/tests/broker-corpus $(B)/tests/mptcpaddrd.service \
	$(B)/mptcpaddrd $(B)/mptcpaddr $(B)/mptcpinfo $(addprefix $(B)/tests/programs/,changes client hasty leaves stderr timed hold) $(B)/tests/launcher-progs/users \
	$(TEST_APPS) lib))

check-broker: SUITE_UNDER = $(B)/tests/launcher-progs/users
