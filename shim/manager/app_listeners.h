/* SPDX-License-Identifier: MIT */
/*
 * app_listeners.h - which connections were accepted by this program
 */
#pragma once

#include "mptcpaddr/handover.h"
#include "mptcpaddr/pm.h"

struct app_listeners {
	struct handover *h;
	int claims[HANDOVER_LISTENERS]; /* a bound name, or negative */
};

void app_listeners_open(struct app_listeners *l, struct handover *h);
void app_listeners_close(struct app_listeners *l);

/* Whether there are any. */
bool app_listeners_any(const struct app_listeners *l);

/*
 * app_listeners_accepted() - whether @local is where one of this process's listeners is
 *
 * Several processes may listen at one address (fork(), SO_REUSEPORT): only one of them
 * gets true for it, as long as it lives. @inherited: this one waits for its parent, and
 * does not claim what is that one's.
 */
bool app_listeners_accepted(struct app_listeners *l, const struct mpaddr *local,
			    bool inherited);

/* app_listeners_closed() - a listener at @local has gone, which may be ours. */
void app_listeners_closed(struct app_listeners *l, const struct mpaddr *local);
