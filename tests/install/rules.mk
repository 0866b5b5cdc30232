# SPDX-License-Identifier: MIT
# make install into a directory, recipes, and completions in their shells. check-install is not
# part of make check: it takes five minutes for each of RELEASES, on which it builds the
# packages, from gcc and make alone, and installs them.

$(eval $(call suite,install,,,all,check-staged))

# debootstrap needs root.
RELEASES ?= bookworm trixie
check-install: deps dist
	$(Q)tests/install/bare $(TARBALL) $(RELEASES)

.PHONY: check-install
