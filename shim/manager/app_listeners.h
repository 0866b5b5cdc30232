/* SPDX-License-Identifier: MIT */
/*
 * app_listeners.h - recognise the connections that this program accepts
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

/* app_listeners_any() - Return: whether the program listens. */
bool app_listeners_any(const struct app_listeners *l);

/*
 * app_listeners_accepted() - whether this process manages connections accepted at @local
 *
 * Several processes may listen at one address (fork(), SO_REUSEPORT): only one of them
 * gets true, until it ends. @inherited: this process waits for the end of its parent and
 * does not claim the parent's address.
 */
bool app_listeners_accepted(struct app_listeners *l, const struct mpaddr *local,
			    bool inherited);

/* app_listeners_closed() - a listener at @local has closed: perhaps one of ours. */
void app_listeners_closed(struct app_listeners *l, const struct mpaddr *local);
