# SPDX-License-Identifier: MIT
# Real kernel, real programs, hosts in namespaces.

$(eval $(call suite,net,shim/netlink/diag.c shim/netlink/request.c shim/pool/addr.c,,$(TEST_APPS) lib))

# Mostly waiting for kernel timers, so more jobs than processors.
check-net: SUITE_JOBS := 8
