/* SPDX-License-Identifier: MIT */
/*
 * first.h - which endpoints a connect() may leave from ([app] first)
 */
#pragma once

#include "launch.h"
#include "mode.h"
#include "mptcpaddr/handover.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define FIRST_CHOICES_MAX 16

struct first_choice {
	struct mpaddr addr;
	int if_idx;
	uint8_t from_dev, index; /* of the table */
	uint8_t why;		 /* enum first_why, if it is the first of the list */
};

struct first_choices {
	struct handover *handover; /* or LAUNCH_BROKER */
	uint32_t version;	   /* of its table */
	bool race;
	bool v6; /* the socket's family */
	unsigned int n;
	struct first_choice v[FIRST_CHOICES_MAX]; /* the best one first */
};

union first_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* first_is_chosen() - cheap: false with `first = routing`, the default */
static inline bool first_is_chosen(struct handover *handover)
{
	return handover == LAUNCH_BROKER || !atomic_load(&handover->started)
		       ? mode_first()
		       : handover->first.mode != FIRST_ROUTING;
}

/*
 * first_choose() - list the endpoints for a connect() of @fd to @addr
 *
 * Return: false: leave it to routing. The program has bound the socket, the destination
 * is this machine, is excluded or link-local, or no endpoint is usable. Changes errno.
 */
bool first_choose(struct handover *handover, int fd, const struct sockaddr *addr,
		  socklen_t len, struct first_choices *ret);

/* first_bind() - bind @fd to @choice. Return: false: it is not usable. Changes errno. */
bool first_bind(int fd, const struct first_choices *list,
		const struct first_choice *choice);

/* first_result() - whether @choice answered. Changes errno. */
void first_result(const struct first_choices *list, const struct first_choice *choice,
		  bool answered);
