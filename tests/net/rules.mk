# SPDX-License-Identifier: MIT
# Tests with a real kernel and real programs, on hosts in namespaces of their own.

$(eval $(call suite,net,shim/netlink/diag.c shim/pool/addr.c,,$(TEST_APPS) lib))

# They wait for timers of the kernel most of the time.
check-net: SUITE_JOBS := 4
