# SPDX-License-Identifier: MIT
# Every history of small pools. make check-model DEPTH=6 takes more steps than make check.

$(eval $(call suite,model,$(ENGINE_SRC) $(COMMON_SRC),-linih))

check-model: export DEPTH := $(DEPTH)
