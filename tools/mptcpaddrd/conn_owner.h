/* SPDX-License-Identifier: MIT */
/*
 * conn_owner.h - whose a connection is, as the kernel says
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct token_owner {
	uid_t uid;	 /* of who opened the socket */
	uint64_t cookie; /* of the socket: no other one ever has it */
	uint64_t cgroup; /* ID in the cgroup 2 hierarchy; 0: not told */
};

/* token_open() - a sock_diag socket for token_ask(). Return: it; -errno. */
int token_open(void);

/*
 * token_ask() - about the connection @token of this network namespace
 *
 * One exact request: the kernel has a hash of tokens (net/mptcp/mptcp_diag.c).
 * Return: 0; -ENOENT: there is none; other -errno.
 */
int token_ask(int fd, uint32_t token, struct token_owner *ret_owner);
