# SPDX-License-Identifier: MIT
# mptcpaddrd: with ordinary users, and with those that mean it no good.

BROKER_TEST_SRC := $(wildcard tests/broker/*.c)
BROKER_REAL     := $(patsubst %,tools/mptcpaddrd/%.c,message policy) \
		   $(patsubst %,shim/pool/%.c,addr parse endpoint accept)

$(B)/tests/broker: $(call obj,$(BROKER_TEST_SRC) $(BROKER_REAL)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -linih -lcriterion

$(B)/tests/broker-native: tests/broker/prog/native.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -D_GNU_SOURCE -static -o $@ $<

$(B)/tests/broker-corpus: $(wildcard tests/broker/corpus/*)
	$(Q)rm -rf $@ && mkdir -p $@ && cp $^ $@

$(B)/tests/%.service: config/systemd/%.service
	$(Q)install -D -m 644 $< $@

# TESTS='serve/*' runs some of them; SEED=N repeats a run of the random records.
check-broker: $(B)/tests/broker $(B)/tests/broker-native $(B)/tests/broker-corpus \
		$(B)/tests/mptcpaddrd.service $(B)/mptcpaddrd $(B)/mptcpaddr \
		$(B)/mptcpinfo $(B)/tests/launcher-progs/users $(TEST_APPS) lib
	$(call say,TEST,$<)
	$(Q)LSAN_OPTIONS=suppressions=tests/lib/lsan.supp \
		$(B)/tests/launcher-progs/users $< -j2 $(if $(TESTS),--filter '$(TESTS)')

CHECKS += check-broker
