# SPDX-License-Identifier: MIT
# Hazards of a preload library, each with a program that is unaware of the library.

PROGRAM_DIR        := $(B)/tests/programs
PROGRAMS           := $(patsubst tests/preload/programs/%.c,$(PROGRAM_DIR)/%, \
		      $(wildcard tests/preload/programs/*.c))
# The plain client, built so that a preload library cannot reach it, or with hooks of its
# own.
CLIENT_KINDS      := $(addprefix $(PROGRAM_DIR)/client-,static static-pie asan asan-inside ctor)

$(PROGRAM_DIR)/%: $(B)/obj/tests/preload/programs/%.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< -pthread

$(PROGRAM_DIR)/client-static: CLIENT_FLAGS := -static
$(PROGRAM_DIR)/client-static-pie: CLIENT_FLAGS := -static-pie -fPIE
ifneq ($(findstring clang,$(CC)),)
ASAN_FOLDER = $(dir $(shell $(CC) -print-file-name=libclang_rt.asan-x86_64.so))
$(PROGRAM_DIR)/client-asan: CLIENT_FLAGS = -fsanitize=address -shared-libasan -Wl,-rpath,$(ASAN_FOLDER)
$(PROGRAM_DIR)/client-asan-inside: CLIENT_FLAGS := -fsanitize=address -static-libsan
else
$(PROGRAM_DIR)/client-asan: CLIENT_FLAGS := -fsanitize=address
$(PROGRAM_DIR)/client-asan-inside: CLIENT_FLAGS := -fsanitize=address -static-libasan
endif
$(PROGRAM_DIR)/client-ctor: CLIENT_FLAGS := -Wl,--no-as-needed -L$(PROGRAM_DIR) -lctor -Wl,-rpath,'$$ORIGIN'
$(PROGRAM_DIR)/client-ctor: $(PROGRAM_DIR)/libctor.so

$(PROGRAM_DIR)/sandbox: LDFLAGS += -Wl,--no-as-needed -lseccomp

$(CLIENT_KINDS): tests/preload/programs/client.c tests/preload/programs/program.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $< $(CLIENT_FLAGS)

$(PROGRAM_DIR)/libctor.so: tests/preload/programs/lib/ctor.c tests/preload/programs/program.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

$(eval $(call suite,preload,shim/common/sockopt.c,,$(PROGRAMS) $(CLIENT_KINDS) $(TEST_APPS) lib))

.SECONDARY: $(patsubst tests/preload/%.c,$(B)/obj/tests/preload/%.o,$(wildcard tests/preload/programs/*.c))
