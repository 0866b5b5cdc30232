# SPDX-License-Identifier: MIT
# Programs keep their results while memory, descriptors and netlink fail in the manager or
# the broker, and while processes are stopped and killed.
#
# make faults SEEDS=10000 runs that many with a manager and a fifth with the broker;
# SEED=N begins with N: SEED=N SEEDS=1 repeats one.

$(B)/tests/faults-client: tests/faults/prog/client.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $<

$(B)/tests/faults-inject.so: tests/faults/prog/inject.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fPIC -fvisibility=hidden -shared -o $@ $<

$(eval $(call suite,faults,,,$(B)/tests/faults-client $(B)/tests/faults-inject.so \
	$(B)/mptcpaddrd $(B)/mptcpaddr $(B)/mptcpinfo $(TEST_APPS) lib))

check-faults: SUITE_UNDER = env SEED='$(SEED)' SEEDS='$(SEEDS)'

faults: deps
	$(Q)$(MAKE) --no-print-directory check-faults V=1 SEEDS='$(or $(SEEDS),10000)'

.PHONY: faults
