# SPDX-License-Identifier: MIT
# mptcpaddr: each warning, with the program or the setting that causes it.

LAUNCHER_DIR  := $(B)/tests/launcher-progs
LAUNCHER_PROG := $(addprefix $(LAUNCHER_DIR)/,hello hello-static hello-static-pie hello-musl \
		   client-static client-musl client-time64 client-musl-shared waits-32 waits-time64 \
		   lib32time64/libmptcpaddr.so musl/libmptcpaddr.so client-raw client-musl-so leaves-static passed passed-dynamic supervised supervised-dynamic supervised-32 hello32 users nosetenv.so protocol protocol-32 lib32/libmptcpaddr.so)

LAUNCHER_CC = $(CC) $(CFLAGS) -D_GNU_SOURCE
$(LAUNCHER_DIR)/hello-static: LAUNCHER_CC += -static
$(LAUNCHER_DIR)/hello-static-pie: LAUNCHER_CC += -static-pie -fPIE
$(LAUNCHER_DIR)/hello-musl: LAUNCHER_CC = musl-gcc
$(LAUNCHER_DIR)/hello32: LAUNCHER_CC = $(CC) -O1 -m32 -nostdlib -static -ffreestanding \
	-fno-pic -fno-stack-protector
# Debian has kernel headers for the machine's own architecture only.
CC_32 = $(CC) $(CFLAGS) -m32 -D_GNU_SOURCE -idirafter /usr/include/$(shell $(CC) -print-multiarch)
$(LAUNCHER_DIR)/protocol-32: LAUNCHER_CC = $(CC_32)
$(LAUNCHER_DIR)/supervised-32: tests/launcher/prog/supervised.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_32) -static -pthread -o $@ $<
$(LAUNCHER_DIR)/protocol-32: tests/launcher/prog/protocol.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ $<
$(addprefix $(LAUNCHER_DIR)/,client-time64 waits-time64 lib32time64/libmptcpaddr.so): \
	CC_32 += -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
$(LAUNCHER_DIR)/lib32/libmptcpaddr.so $(LAUNCHER_DIR)/lib32time64/libmptcpaddr.so: \
		$(PRELOAD_SRC) $(COMMON_SRC) shim/preload/export.map
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_32) -std=gnu11 -Iinclude -I. -Wno-psabi -fPIC -shared -nostartfiles -Wl,-z,defs \
		-Wl,--version-script=shim/preload/export.map -o $@ $(filter %.c,$^)
$(LAUNCHER_DIR)/supervised: LAUNCHER_CC += -static -pthread
$(LAUNCHER_DIR)/passed: LAUNCHER_CC += -static
$(LAUNCHER_DIR)/client-static: LAUNCHER_CC += -static -pthread
$(LAUNCHER_DIR)/client-musl: LAUNCHER_CC = musl-gcc -static -D_GNU_SOURCE -pthread
$(LAUNCHER_DIR)/client-musl-so: LAUNCHER_CC = musl-gcc -D_GNU_SOURCE -pthread
$(LAUNCHER_DIR)/client-raw: LAUNCHER_CC += -include tests/launcher/prog/raw.h -pthread
$(LAUNCHER_DIR)/client-raw: tests/launcher/prog/raw.h
$(LAUNCHER_DIR)/waits-%: tests/launcher/prog/waits.c shim/common/lock.h shim/common/time64.h
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_32) -I. -o $@ $<
$(LAUNCHER_DIR)/client-time64: LAUNCHER_CC = $(CC_32) -pthread
$(LAUNCHER_DIR)/client-musl-shared: LAUNCHER_CC = musl-gcc -D_GNU_SOURCE -pthread
# musl-gcc does not look for the kernel's headers.
$(LAUNCHER_DIR)/musl/libmptcpaddr.so: $(PRELOAD_SRC) $(COMMON_SRC) shim/preload/export.map
	$(Q)$(MAKE) --no-print-directory CC=musl-gcc B=$(@D) CFLAGS='-O2 -g \
		-idirafter /usr/include/$(shell gcc -print-multiarch) -idirafter /usr/include' $@
$(LAUNCHER_DIR)/client-%: tests/apps/tcpclient.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ tests/apps/tcpclient.c
$(LAUNCHER_DIR)/leaves-static: tests/preload/programs/leaves.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -static -pthread -I. -Iinclude -o $@ $<
$(LAUNCHER_DIR)/%-dynamic: LAUNCHER_CC += -pthread
$(LAUNCHER_DIR)/%-dynamic: tests/launcher/prog/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ $<
$(LAUNCHER_DIR)/nosetenv.so: LAUNCHER_CC += -shared -fPIC
$(LAUNCHER_DIR)/nosetenv.so: tests/launcher/prog/nosetenv.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ $<
$(LAUNCHER_DIR)/hello-%: tests/launcher/prog/hello.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ $<

$(LAUNCHER_DIR)/%: tests/launcher/prog/%.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(LAUNCHER_CC) -o $@ $<

$(B)/tests/%.json: tools/mptcpaddr/%.json
	$(Q)install -D -m 644 $< $@

$(eval $(call suite,launcher,tools/mptcpaddr/elf.c,$$(call pc,--libs,libelf),\
	$(LAUNCHER_PROG) $(B)/mptcpaddr $(B)/mptcpinfo $(B)/mptcpaddrd $(B)/tests/programs/stderr \
	$(B)/tests/validate.py $(B)/tests/status.schema.json $(TEST_APPS) lib))

check-launcher: SUITE_UNDER = $(LAUNCHER_DIR)/users
