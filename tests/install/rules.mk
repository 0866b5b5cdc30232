# SPDX-License-Identifier: MIT
# make install into a directory, and completions in their shells. check-install takes minutes
# and is not part of make check: it installs the packages on a minimal Debian.

$(eval $(call suite,install,,,all,check-staged))

# debootstrap needs root.
check-install: deb
	$(Q)tests/install/bare $(B)/deb

.PHONY: check-install
