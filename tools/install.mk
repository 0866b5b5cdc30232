# SPDX-License-Identifier: MIT
#
# make install      below DESTDIR: PREFIX, LIBDIR (libraries), SYSCONFDIR
# make uninstall    what it put there, but for files of SYSCONFDIR
# make deb          Debian packages, into build/deb/
#
# Both libraries go into LIBDIR, a folder that the dynamic linker searches: then
# LD_PRELOAD=libmptcpaddr.so works by its bare name, and the one finds the other beside
# itself.

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
# Programs look for their pool files there, whatever the prefix.
SYSCONFDIR ?= /etc
UNITDIR    ?= $(if $(filter /usr,$(PREFIX)),/lib,$(PREFIX)/lib)/systemd/system
MANDIR     ?= $(PREFIX)/share/man
EXAMPLES   ?= $(PREFIX)/share/doc/libmptcpaddr/examples

# FILE:MODE:FOLDER[:NAME], what there is to install.
INSTALL_FILES = \
	$(B)/libmptcpaddr.so:644:$(LIBDIR) \
	$(B)/libmptcpaddr-pm.so:644:$(LIBDIR) \
	$(B)/mptcpaddr:755:$(PREFIX)/bin \
	$(B)/mptcpinfo:755:$(PREFIX)/bin \
	$(foreach page,$(wildcard tools/*/*.[1-8]),\
		$(page):644:$(MANDIR)/man$(subst .,,$(suffix $(page)))) \
	config/completions/mptcpaddr.bash:644:$(PREFIX)/share/bash-completion/completions:mptcpaddr \
	config/completions/mptcpinfo.bash:644:$(PREFIX)/share/bash-completion/completions:mptcpinfo \
	$(foreach tool,mptcpaddr mptcpinfo,\
		config/completions/_$(tool):644:$(ZSHDIR) \
		config/completions/$(tool).fish:644:$(PREFIX)/share/fish/vendor_completions.d) \
	$(foreach sample,$(wildcard config/*.conf config/*/*.conf),\
		$(sample):644:$(EXAMPLES)) \
	$(B)/mptcpaddrd:755:$(PREFIX)/sbin \
	$(B)/mptcpaddrd.service:644:$(UNITDIR)
ZSHDIR ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

# Configuration: a file that is there is the administrator's, and stays.
INSTALL_CONFIG = \
	config/default.conf:644:$(SYSCONFDIR)/mptcpaddr \
	config/sysctl.d/90-mptcpaddr.conf:644:$(SYSCONFDIR)/sysctl.d \
	config/broker.conf:644:$(SYSCONFDIR)/mptcpaddr

# ":" to blanks: file, mode, folder, name.
field  = $(word $(2),$(subst :, ,$(1)))
target = $(DESTDIR)$(call field,$(1),3)/$(or $(call field,$(1),4),$(notdir $(call field,$(1),1)))
define newline


endef

install: all
	$(foreach f,$(INSTALL_FILES),$(Q)install -D -m $(call field,$(f),2) \
		$(call field,$(f),1) $(call target,$(f))$(newline))
	$(foreach f,$(INSTALL_CONFIG),$(Q)test -e $(call target,$(f)) || \
		install -D -m $(call field,$(f),2) $(call field,$(f),1) \
		$(call target,$(f))$(newline))
	$(if $(DESTDIR),,$(Q)! test -w /etc/ld.so.cache || /sbin/ldconfig)

uninstall:
	$(foreach f,$(INSTALL_FILES),$(Q)rm -f $(call target,$(f))$(newline))
	$(if $(DESTDIR),,$(Q)! test -w /etc/ld.so.cache || /sbin/ldconfig)

# The unit names the program where it is installed.
$(B)/mptcpaddrd.service: config/systemd/mptcpaddrd.service $(B)/prefix
	$(Q)sed 's|/usr/sbin/mptcpaddrd|$(PREFIX)/sbin/mptcpaddrd|' $< >$@

all: $(B)/mptcpaddrd.service

# What names a folder is built again when the folder is another one.
$(B)/prefix: ALWAYS
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(PREFIX) $(LIBDIR)' | cmp -s - $@ || echo '$(PREFIX) $(LIBDIR)' >$@
$(B)/obj/tools/mptcpaddr/library.o $(B)/obj/tools/mptcpaddr/enable.o: $(B)/prefix
ALWAYS:

deb: deps
	$(Q)tools/deb $(B)/deb

.PHONY: install uninstall deb ALWAYS
