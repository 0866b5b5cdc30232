# SPDX-License-Identifier: MIT
# README.md and docs/: every command is executed.

$(B)/stage: all
	$(Q)rm -rf $@
	$(Q)$(MAKE) --no-print-directory -s install DESTDIR=$(abspath $@)

$(eval $(call suite,docs,,,all $(B)/stage))
