# SPDX-License-Identifier: MIT
# Network tests on other Debian kernels, in virtual machines. Not part of make check: takes
# minutes per kernel, and downloads 300 MB once.

# KERNELS=bookworm selects a kernel, TESTS='pool/*' tests.
check-kernels:
	$(Q)tools/deps kernels
	$(Q)$(MAKE) --no-print-directory check-kernels-run

check-kernels-run: all $(B)/tests/net $(B)/tests/preload $(PROGRAMS) $(TEST_APPS)
	$(Q)KERNELS='$(KERNELS)' TESTS='$(TESTS)' tests/vm/check-kernels $(abspath $(B))

.PHONY: check-kernels check-kernels-run
