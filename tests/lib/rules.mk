# SPDX-License-Identifier: MIT
# Shared by all suites: hosts, programs, endpoints, captures.

TESTLIB_SRC := $(wildcard tests/lib/*.c)

$(B)/tests/libtest.a: $(call obj,$(TESTLIB_SRC))
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^
