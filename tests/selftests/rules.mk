# SPDX-License-Identifier: MIT
# The kernel's own MPTCP selftests with its path manager and with ours. Not part of make
# check: takes half an hour, and downloads 160 MB once.

# GROUP, CASE, TIMES, JOBS, BACKEND, RETRIES: see tests/selftests/run.
check-selftests:
	$(Q)tools/deps selftests
	$(Q)$(MAKE) --no-print-directory check-selftests-run

check-selftests-run: all $(B)/selftests/fetched
	$(Q)CC='$(CC)' tests/selftests/run $(B)

$(B)/selftests/fetched:
	$(Q)tests/selftests/fetch $(@D)

.PHONY: check-selftests check-selftests-run
