/* SPDX-License-Identifier: MIT */
/*
 * app_listeners.h - which connections were accepted by this program
 */
#pragma once

#include "mptcpaddr/handover.h"
#include "mptcpaddr/pm.h"

struct listeners {
	struct handover *h;
	int claims[HANDOVER_LISTENERS]; /* a bound name, or negative */
};

void listeners_open(struct listeners *l, struct handover *h);
void listeners_close(struct listeners *l);

/* Whether there are any. */
bool listeners_any(const struct listeners *l);

/*
 * listeners_accepted() - whether @local is where one of this process's listeners is
 *
 * Several processes may listen at one address (fork(), SO_REUSEPORT): only one of them
 * gets true for it, as long as it lives. @inherited: this one waits for its parent, and
 * does not claim what is that one's.
 */
bool listeners_accepted(struct listeners *l, const struct mpaddr *local, bool inherited);

/* listeners_closed() - a listener at @local has gone, which may be ours. */
void listeners_closed(struct listeners *l, const struct mpaddr *local);
