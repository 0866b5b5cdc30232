# SPDX-License-Identifier: MIT
# Clients and servers for the tests, one program per file.

TEST_APPS := $(patsubst tests/apps/%.c,$(B)/tests/apps/%,$(wildcard tests/apps/*.c))

$(B)/tests/apps/%: $(B)/obj/tests/apps/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $< -pthread

.SECONDARY: $(patsubst tests/apps/%.c,$(B)/obj/tests/apps/%.o,$(wildcard tests/apps/*.c))
