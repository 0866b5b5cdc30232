/* SPDX-License-Identifier: MIT */
/*
 * race.h - connect() from the endpoints of the pool ([app] first)
 */
#pragma once

#include <sys/socket.h>

struct handover;

/*
 * race_connect() - connect(), registered, for first_is_chosen() programs
 *
 * @handover: from register_begin(). Return: that of connect(), and its errno.
 */
int race_connect(struct handover *handover, int fd, const struct sockaddr *addr,
		 socklen_t len);
