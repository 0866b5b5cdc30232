# SPDX-License-Identifier: MIT
# In place of OpenWrt's file: calls make as OpenWrt does, with CFLAGS and LDFLAGS in its
# environment and the cross compiler in its arguments, and installs each package into
# OUT/NAME. The sources are in BUILD_DIR.
PKG_BUILD_DIR   := $(BUILD_DIR)/$(PKG_NAME)-$(PKG_VERSION)
PKG_INSTALL_DIR := $(PKG_BUILD_DIR)/ipkg-install

MAKE_FLAGS = CC="$(CC)" LD=ld AR=ar STRIP=strip CROSS= ARCH=x86_64
MAKE_INSTALL_FLAGS = $(MAKE_FLAGS) DESTDIR="$(PKG_INSTALL_DIR)"

staged:
	test $(PKG_INSTALL) = 1
	cd $(DL_DIR) && echo '$(PKG_HASH)  $(PKG_SOURCE)' | sha256sum -c
	test -f $(PKG_BUILD_DIR)/$(PKG_LICENSE_FILES)
	CFLAGS=-Os LDFLAGS= $(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_FLAGS)
	CFLAGS=-Os LDFLAGS= $(MAKE) -C $(PKG_BUILD_DIR) $(MAKE_INSTALL_FLAGS) install

define BuildPackage
$(eval $(Package/$(1)))
$(if $(and $(SECTION),$(CATEGORY),$(TITLE),$(DEPENDS)),,$(error $(1): incomplete))
all: $(1)
$(1): staged
	$(call Package/$(1)/install,$(OUT)/$(1))
	cd $(OUT)/$(1) && ls $(patsubst /%,%,$(Package/$(1)/conffiles))
.PHONY: all staged $(1)
endef
