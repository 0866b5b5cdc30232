# SPDX-License-Identifier: MIT
# Tests with a real kernel and real programs, on hosts in namespaces of their own.

NETTEST_SRC := $(wildcard tests/net/*.c)

$(B)/tests/net: $(call obj,$(NETTEST_SRC) shim/netlink/diag.c shim/pool/addr.c) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -lcriterion

# TESTS='pool/*' runs some of them; SEED=N repeats a run of the random pools.
check-net: $(B)/tests/net $(TEST_APPS) lib
	$(Q)LSAN_OPTIONS=suppressions=tests/lib/lsan.supp $(B)/tests/net -j4 $(if $(TESTS),--filter '$(TESTS)')

CHECKS += check-net
