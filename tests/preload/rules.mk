# SPDX-License-Identifier: MIT
# Hazards of a preload library, each with a program that is unaware of the library.

GUEST_DIR        := $(B)/tests/guests
GUESTS           := $(patsubst tests/preload/guests/%.c,$(GUEST_DIR)/%, \
		      $(wildcard tests/preload/guests/*.c))
# The plain client, built so that a preload library cannot reach it, or with hooks of its
# own.
GUEST_KINDS      := $(addprefix $(GUEST_DIR)/client-,static static-pie asan asan-inside ctor)

$(GUEST_DIR)/%: $(B)/obj/tests/preload/guests/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -pthread

$(GUEST_DIR)/client-static: GUEST_HOW := -static
$(GUEST_DIR)/client-static-pie: GUEST_HOW := -static-pie -fPIE
ifneq ($(findstring clang,$(CC)),)
ASAN_FOLDER = $(dir $(shell $(CC) -print-file-name=libclang_rt.asan-x86_64.so))
$(GUEST_DIR)/client-asan: GUEST_HOW = -fsanitize=address -shared-libasan -Wl,-rpath,$(ASAN_FOLDER)
$(GUEST_DIR)/client-asan-inside: GUEST_HOW := -fsanitize=address -static-libsan
else
$(GUEST_DIR)/client-asan: GUEST_HOW := -fsanitize=address
$(GUEST_DIR)/client-asan-inside: GUEST_HOW := -fsanitize=address -static-libasan
endif
$(GUEST_DIR)/client-ctor: GUEST_HOW := -Wl,--no-as-needed -L$(GUEST_DIR) -lctor -Wl,-rpath,'$$ORIGIN'
$(GUEST_DIR)/client-ctor: $(GUEST_DIR)/libctor.so

$(GUEST_KINDS): tests/preload/guests/client.c tests/preload/guests/guest.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $< $(GUEST_HOW)

$(GUEST_DIR)/libctor.so: tests/preload/guests/lib/ctor.c tests/preload/guests/guest.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

$(eval $(call suite,preload,,,$(GUESTS) $(GUEST_KINDS) $(TEST_APPS) lib))

.SECONDARY: $(patsubst tests/preload/%.c,$(B)/obj/tests/preload/%.o,$(wildcard tests/preload/guests/*.c))
