# SPDX-License-Identifier: MIT
# The network tests on Debian's other kernels, in virtual machines. Not part of
# make check: it downloads 300 MB, once, and takes some minutes a kernel.

# KERNELS=bookworm runs one of them, TESTS='pool/*' some of the tests.
check-kernels:
	$(Q)tools/deps kernels
	$(Q)$(MAKE) --no-print-directory check-kernels-run

check-kernels-run: all $(B)/tests/net $(TEST_APPS)
	$(Q)KERNELS='$(KERNELS)' TESTS='$(TESTS)' tests/vm/check-kernels $(abspath $(B))

.PHONY: check-kernels check-kernels-run
