/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - a client and a server with two links, and the client's program with and
 * without our library
 */
#pragma once

#include <stdbool.h>

#include "capture.h"
#include "proc.h"
#include "world.h"

struct samples;

struct hosts {
	struct world world;
	struct proc server; /* an echo server on the server */
};

enum side {
	SIDE_OURS, /* a TCP program, our library, a pool, the userspace path manager */
	SIDE_PEER, /* an MPTCP program, without the library */
	SIDES
};

/* Return: 0 or -errno. Call hosts_close() in both cases. */
int hosts_open(struct hosts *h);
void hosts_close(struct hosts *h);

/*
 * hosts_connect() - run the client's program once, @count connections one by one
 *
 * @join: each waits for a second subflow. @first gets the first connect() in us,
 * @later the others. Either may be NULL. Return: 0 or -errno, with a line on stderr.
 */
int hosts_connect(struct hosts *h, enum side side, int count, bool join,
		  struct samples *first, struct samples *later);

/*
 * hosts_announce() - the server announces 10.0.2.1; both addresses of the client are
 * laminar endpoints of its kernel. Return: 0 or -errno, with a line on stderr.
 */
int hosts_announce(struct hosts *h);

/*
 * hosts_crowd() - start tests/bench-crowd with @count connections
 *
 * Return: 0 once they are established, or -errno, with a line on stderr. The caller ends
 * @ret in both cases.
 */
int hosts_crowd(struct hosts *h, enum side side, const char *count, struct proc *ret);
