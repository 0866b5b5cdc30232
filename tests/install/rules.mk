# SPDX-License-Identifier: MIT
# What is installed: make install below a folder, completions in their shells; and the
# packages on a bare Debian, which takes minutes and is a goal of its own.

$(eval $(call suite,install,,,all,check-staged))

# As root: debootstrap takes no less.
check-install: deb
	$(Q)tests/install/bare $(B)/deb

.PHONY: check-install
