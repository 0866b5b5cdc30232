# SPDX-License-Identifier: MIT
#
# make install      into PREFIX, LIBDIR (libraries) and SYSCONFDIR, below DESTDIR
# make uninstall    remove the installed files, except those in SYSCONFDIR
# make dist         build/mptcpaddr-VERSION.tar.gz, the same bytes wherever it is made
# make deb          build Debian packages in build/deb/
# make rpm          build RPM packages in build/rpm/
#
# Both libraries go into LIBDIR, which the dynamic linker searches: LD_PRELOAD works with
# the bare name libmptcpaddr.so, which finds libmptcpaddr-pm.so in its own directory.

# The library looks for pool files in /etc/mptcpaddr, regardless of PREFIX.
SYSCONFDIR ?= /etc
SBINDIR    ?= $(PREFIX)/sbin
UNITDIR    ?= $(PREFIX)/lib/systemd/system
MANDIR     ?= $(PREFIX)/share/man
EXAMPLES   ?= $(PREFIX)/share/doc/libmptcpaddr/examples

# FILE:MODE:DIRECTORY[:NAME]
INSTALL_FILES = \
	$(B)/libmptcpaddr.so:644:$(LIBDIR) \
	$(B)/libmptcpaddr-pm.so:644:$(LIBDIR) \
	$(B)/mptcpaddr:755:$(PREFIX)/bin \
	$(B)/mptcpinfo:755:$(PREFIX)/bin \
	$(foreach page,$(wildcard tools/*/*.[1-8]),\
		$(page):644:$(MANDIR)/man$(subst .,,$(suffix $(page)))) \
	$(foreach tool,mptcpaddr mptcpinfo mptcpaddrd,\
		config/completions/$(tool).bash:644:$(PREFIX)/share/bash-completion/completions:$(tool) \
		config/completions/_$(tool):644:$(ZSHDIR) \
		config/completions/$(tool).fish:644:$(PREFIX)/share/fish/vendor_completions.d) \
	$(foreach sample,$(wildcard config/*.conf config/*/*.conf),\
		$(sample):644:$(EXAMPLES)) \
	config/networkmanager/90-mptcpaddr:755:$(EXAMPLES) \
	config/systemd/user/mptcpaddr-session.service:644:$(EXAMPLES) \
	$(B)/mptcpaddrd:755:$(SBINDIR) \
	$(B)/mptcpaddrd.service:644:$(UNITDIR)
ZSHDIR ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)

# Configuration: an existing file belongs to the administrator and is kept.
INSTALL_CONFIG = \
	config/default.conf:644:$(SYSCONFDIR)/mptcpaddr \
	config/sysctl.d/90-mptcpaddr.conf:644:$(SYSCONFDIR)/sysctl.d \
	config/broker.conf:644:$(SYSCONFDIR)/mptcpaddr

# Field 2 of FILE:MODE:DIRECTORY:NAME, counted from 1.
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
	$(Q)! test -d $(DESTDIR)$(EXAMPLES) || rmdir -p --ignore-fail-on-non-empty $(DESTDIR)$(EXAMPLES)
	$(if $(DESTDIR),,$(Q)! test -w /etc/ld.so.cache || /sbin/ldconfig)

# The unit contains the installed path of the broker.
$(B)/mptcpaddrd.service: config/systemd/mptcpaddrd.service $(B)/prefix
	$(Q)sed 's|/usr/sbin/mptcpaddrd|$(SBINDIR)/mptcpaddrd|' $< >$@

all: $(B)/mptcpaddrd.service

# Rebuild files that contain a directory when that directory changes.
$(B)/prefix: ALWAYS
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(SBINDIR) $(LIBDIR)' | cmp -s - $@ || echo '$(SBINDIR) $(LIBDIR)' >$@
$(B)/obj/tools/mptcpaddr/library.o $(B)/obj/tools/mptcpaddr/enable.o: $(B)/prefix
ALWAYS:

TARBALL = $(B)/mptcpaddr-$(VERSION).tar.gz

dist:
	$(Q)tools/dist $(TARBALL)

deb: deps dist
	$(Q)tools/deb $(TARBALL) $(B)/deb

rpm: deps dist
	$(Q)tools/rpm $(TARBALL) $(B)/rpm

.PHONY: install uninstall dist deb rpm ALWAYS
