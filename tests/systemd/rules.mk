# SPDX-License-Identifier: MIT
# The packages under a systemd of their own, which takes minutes: no part of make check.

# As root: debootstrap takes no less.
check-systemd: deb
	$(Q)tests/systemd/booted $(B)/deb

.PHONY: check-systemd
