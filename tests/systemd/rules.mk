# SPDX-License-Identifier: MIT
# The packages in a container with systemd. Not part of make check: takes minutes.

# debootstrap needs root.
check-systemd: deb
	$(Q)tests/systemd/booted $(B)/deb

.PHONY: check-systemd
