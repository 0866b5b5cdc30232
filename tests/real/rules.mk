# SPDX-License-Identifier: MIT
# Programs of Debian under the library: clients/NAME and servers/NAME are one each.
#
# make check-apps APPS='curl nginx' runs some of them, QUARTER=0 (to 3) every fourth. A
# run of all writes docs/programs.md.

$(eval $(call suite,real,tests/preload/preload.c,,\
	$(TEST_APPS) $(B)/mptcpaddr $(B)/mptcpaddrd $(B)/tests/launcher-progs/users lib))

# Needs a gigabyte of packages (tools/deps check-apps): not part of `make check`.
CHECKS := $(filter-out check-real,$(CHECKS))

REAL_RESULTS := $(abspath $(B))/tests/real.d

check-real: SUITE_UNDER = env APPS='$(APPS)' QUARTER='$(QUARTER)' \
	RESULTS='$(REAL_RESULTS)' $(B)/tests/launcher-progs/users
check-real: SUITE_JOBS = 2

check-apps: deps
	$(Q)rm -rf $(REAL_RESULTS)
	$(Q)$(MAKE) --no-print-directory check-real
	$(Q)$(if $(APPS)$(QUARTER),,mkdir -p docs && sh tests/real/table $(REAL_RESULTS) >docs/programs.md)

.PHONY: check-apps
