# SPDX-License-Identifier: MIT
# What is installed: make install below a folder, completions in their shells; and the
# packages on a bare Debian, which takes minutes and is a goal of its own.

INSTALL_TEST_SRC := $(wildcard tests/install/*.c)

$(B)/tests/install: $(call obj,$(INSTALL_TEST_SRC)) $(B)/tests/libtest.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $^ $(NL_LIBS) -lcriterion

check-staged: $(B)/tests/install all
	$(call say,TEST,$<)
	$(Q)$< $(if $(TESTS),--filter '$(TESTS)')

CHECKS += check-staged

# As root: debootstrap takes no less.
check-install: deb
	$(Q)tests/install/bare $(B)/deb

.PHONY: check-install
