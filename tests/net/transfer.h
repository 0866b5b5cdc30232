/* SPDX-License-Identifier: MIT */
/*
 * transfer.h - a real curl and a real web server move 100 MB over three links
 *
 * curl runs under the shim, with the pool or with the same addresses as `laminar`
 * endpoints of its kernel. Every function asserts that its step worked.
 */
#pragma once

#include "net.h"

#include <sys/types.h>

#define TRANSFER_PATHS 3
#define TRANSFER_USED  100000 /* bytes that show that a link is in use */

struct transfer {
	struct world w;
	enum net_side side;
	bool upload;
	const char *rate; /* of each link, for tc(8) */
	struct proc nginx, curl;
	char dir[64], sent[80], got[80], pool[80];
	char grows[80]; /* `got`, or the server's temporary file */
	off_t size;
	int idle;  /* samples since it grew */
	int stall; /* their maximum */
	int load;  /* the highest machine_load(), at most 3 */
};

/* Start, and wait for three paths. Needs NEED_SANDBOX(). */
void transfer_open(struct transfer *t, enum net_side side, bool upload, const char *rate);
/* Established subflows of the client */
int transfer_paths(const struct transfer *t);
/* Wait for 50 ms, or as long as @ms, and watch the file grow. */
void transfer_sample(struct transfer *t);
void transfer_follow(struct transfer *t, int ms);
/* Bytes that the client has received, or sent, over a link. */
long long transfer_carried(const struct transfer *t, int link);
/* Lift the rates; the file must arrive whole. */
void transfer_close(struct transfer *t);
