/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the kernel of model.h, and what it shares with the machine in world.c
 */
#pragma once

#include "model.h"

#define FIRST_NET 1 /* 10.0.1.0/24 is the peer's first address's, and never goes */

static inline unsigned int net_of(const struct mpaddr *addr)
{
	return addr->ip[2];
}

/* The bit of the interface with @addr; 0: that of FIRST_NET. */
static inline uint8_t bit_of(const struct mpaddr *addr)
{
	return net_of(addr) > FIRST_NET ? 1 << (net_of(addr) - FIRST_NET - 1) : 0;
}

static inline bool has(uint8_t mask, const struct mpaddr *local)
{
	return !bit_of(local) || mask & bit_of(local);
}

/* world_works() - whether packets from @local reach the peer */
bool world_works(const struct world *w, const struct mpaddr *local);
/* world_route() - the link to @remote's network, else that of the first subflow */
bool world_route(void *ctx, const struct mpaddr *remote, struct mpaddr *ret_local);
/* world_say() - print a line of the trace. */
void world_say(const struct world *w, const char *what, const struct mpaddr *local,
	       const struct mpaddr *remote);

/* kernel_event() - queue an event about @sub. */
void kernel_event(struct world *w, enum pm_event_type type, const struct sub *sub,
		  uint8_t error);
/* kernel_end() - @sub ends with @error. */
void kernel_end(struct world *w, struct sub *sub, uint8_t error);
/* kernel_execute() - Return: 0 or a positive errno. */
int kernel_execute(struct world *w, const struct pm_cmd *cmd);
/* kernel_check() - answer a PM_CMD_CHECK. */
void kernel_check(struct world *w, const struct pm_cmd *cmd, struct pm_cmds *out);
/* peer_removes() - it has our REMOVE_ADDRs. Return: whether that ended a subflow. */
bool peer_removes(struct world *w);
