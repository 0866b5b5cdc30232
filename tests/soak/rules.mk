# SPDX-License-Identifier: MIT
# Many connections for a long time, and the same with ThreadSanitizer and helgrind.

MINUTES ?= 30

$(B)/tests/churn: $(B)/obj/tests/soak/churn.o
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANFLAGS) $(LDFLAGS) -o $@ $< -pthread

# Both modes at the same time
soak: deps
	$(Q)$(MAKE) --no-print-directory all $(B)/tests/churn
	$(Q)tests/soak/soak $(B) $$(($(MINUTES) * 60)) broker & broker=$$!; \
		tests/soak/soak $(B) $$(($(MINUTES) * 60)) direct; r=$$?; wait $$broker && exit $$r

# ThreadSanitizer: connects, forks, reloads, flaps and queries at once. GCC warns that it
# does not know fences: first.c reads again what changed meanwhile.
RACES_SECONDS ?= 20
TSAN_OPTIONS   = die_after_fork=0 exitcode=66

races: deps helgrind
	$(Q)$(MAKE) --no-print-directory B=$(B)/tsan SAN=thread CFLAGS='-O1 -g -Wno-tsan' \
		lib tools $(B)/tsan/tests/churn
	$(Q)for mode in direct broker; do \
		NOT_FLAT=1 TSAN_OPTIONS='$(TSAN_OPTIONS)' tests/soak/soak $(B)/tsan \
			$(RACES_SECONDS) $$mode setarch -R || exit; \
	done

# The same in direct mode; helgrind.h tells valgrind what atomics order. The path manager
# library is loaded at the start: later, valgrind would look for its symbols in the wrong
# descriptor table.
helgrind: deps
	$(Q)$(MAKE) --no-print-directory B=$(B)/helgrind DEV=0 \
		CFLAGS='-O1 -g -fno-builtin -Wno-shadow -include tests/soak/helgrind.h' lib \
		$(B)/helgrind/mptcpinfo $(B)/helgrind/tests/churn
	$(Q)NOT_FLAT=1 THREADS=3 SOAK_PRELOAD=$(abspath $(B))/helgrind/libmptcpaddr-pm.so \
		tests/soak/soak $(B)/helgrind $(RACES_SECONDS) direct valgrind \
		-q --tool=helgrind --fair-sched=yes --child-silent-after-fork=yes \
		--history-level=approx

.PHONY: soak races helgrind
