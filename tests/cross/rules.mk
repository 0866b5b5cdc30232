# SPDX-License-Identifier: MIT
# Other architectures and another libc. Not part of make check: takes minutes, needs root, and
# downloads 500 MB once.

# ARCHS='arm64 s390x' selects some.
check-cross:
	$(Q)tools/deps cross
	$(Q)ARCHS='$(ARCHS)' tests/cross/check-cross $(abspath $(B))

check-musl:
	$(Q)tools/deps musl
	$(Q)tests/cross/check-musl $(abspath $(B))

.PHONY: check-cross check-musl
