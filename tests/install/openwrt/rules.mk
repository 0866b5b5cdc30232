# SPDX-License-Identifier: MIT
# In place of OpenWrt's file: variables and commands for the package's Makefile, natively.
INSTALL_DIR  := install -d -m 755
INSTALL_DATA := install -m 644
INSTALL_CONF := install -m 600
INSTALL_BIN  := install -m 755
INCLUDE_DIR  := $(TOPDIR)/include

all:
