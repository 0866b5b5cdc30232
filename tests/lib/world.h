/* SPDX-License-Identifier: MIT */
/*
 * world.h - two hosts and the links between them
 *
 * Link i (1, 2, ...): client cI 10.0.i.2/24 and dead:beef:i::2/64, server sI 10.0.i.1/24
 * and dead:beef:i::1/64. The client has a default route per link, metric 10*i. This is
 * the topology of the kernel's own selftests. Needs sandbox_enter().
 */
#pragma once

#include <stdbool.h>

#define WORLD_LINKS_MAX 9

struct host {
	const char *name;
	int netns;
};

struct world {
	struct host client;
	struct host server;
	int links;
};

enum path_manager {
	PM_KERNEL,
	PM_USERSPACE
};

/* A network namespace with MPTCP, which the calling thread is in afterwards. 0 or -errno.
 */
int host_make(struct host *h, const char *name);
/* Makes both hosts; the calling thread is on the client afterwards. 0 or -errno. */
int world_open(struct world *w, int links);
/* The hosts disappear once their programs have ended. */
void world_close(struct world *w);

/*
 * host_enter() - move the calling thread to @h
 *
 * Sockets, files of /proc/thread-self/net and children are @h's from here on.
 */
int host_enter(const struct host *h);

/* @name with slashes: "net/mptcp/enabled". Return: 0 or -errno. */
int host_sysctl(const struct host *h, const char *name, const char *value);
/* For sockets opened from now on. */
int host_path_manager(const struct host *h, enum path_manager pm);
/* Feed @rules to nft(8) on @h. */
int host_nft(const struct host *h, const char *rules);
/* Feed @commands, one a line, to ip(8) on @h. */
/* Whether something listens on TCP @port. */
bool host_listens(const struct host *h, int port);

int host_ip(const struct host *h, const char *commands);
