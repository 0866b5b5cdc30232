/* SPDX-License-Identifier: MIT */
/*
 * ctl.h - ask one manager, over its control socket
 */
#ifndef MPTCPINFO_CTL_H
#define MPTCPINFO_CTL_H

#include "mptcpaddr/control.h"
#include <stdint.h>
#include <sys/types.h>

struct ctl {
	int fd;
	uint64_t deadline_ms; /* of the answer awaited, CLOCK_MONOTONIC */
	uint64_t give_up_ms;  /* of all answers together */
	unsigned int version; /* of an answer that was of another one */
	uint32_t uid;	      /* the manager's, as the kernel says it */
	pid_t pid;	      /* 0 if it lives in a PID namespace that we cannot see */
	char *buffer;
};

/* Return: 0, or -errno to stop. */
typedef int (*ctl_connection_fn)(void *ctx, const struct ctl_connection *record);

uint64_t now_ms(void);

/*
 * ctl_open() - connect to the abstract socket @name
 *
 * Return: 0; -ECONNREFUSED if nobody is there, -EAGAIN if it takes nobody in, or
 * another -errno.
 */
int ctl_open(const char *name, struct ctl *ret_ctl);

/*
 * ctl_manager(), ctl_connections() - the two questions
 *
 * Return: 0; -ETIMEDOUT, -EPROTO (another version: then ctl->version says which),
 * -EBADMSG (no sense in it), -ECONNRESET (it hung up: it does not serve this user),
 * or what the manager or the callback said.
 */
int ctl_manager(struct ctl *ctl, struct ctl_manager *ret_manager);
int ctl_connections(struct ctl *ctl, ctl_connection_fn fn, void *ctx);

void ctl_close(struct ctl *ctl);

#endif
