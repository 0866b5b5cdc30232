// SPDX-License-Identifier: MIT
/*
 * crowd.c - the time until one process has many connections, each with a join
 *
 * One thread opens them as fast as it can; the server announces a second address on each.
 * Peer: the same program on MPTCP sockets, with the in-kernel path manager.
 */
#include "bench.h"
#include "counter.h"
#include "hosts.h"
#include "until.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define COUNT	   10000
#define COUNT_TEXT "10000"
#define ROUNDS	   3
#define JOINS_MS   60000
#define LIMIT	   (1 / 0.9)

static int measure(struct hosts *h, enum side side, struct samples *took)
{
	const struct host *client = &h->world.client;
	const int64_t start = now_ms();
	struct proc crowd;
	int r;

	r = hosts_crowd(h, side, COUNT_TEXT, &crowd);
	if (!r && !WAIT_UNTIL(counter(client, "MPJoinSynAckRx") >= COUNT, JOINS_MS)) {
		fprintf(stderr, "%s: %d joins of " COUNT_TEXT "\n",
			side == SIDE_OURS ? "ours" : "peer",
			(int)counter(client, "MPJoinSynAckRx"));
		r = -EPROTO;
	}
	if (!r)
		samples_add(took, now_ms() - start);
	proc_end(&crowd);
	return r;
}

/* In a network of its own: the ports of the last round's connections are in use. */
static int round_of(enum side side, struct samples *took)
{
	struct hosts h;
	int r;

	r = hosts_open(&h);
	if (!r)
		r = hosts_announce(&h);
	if (!r)
		r = measure(&h, side, took);
	hosts_close(&h);
	return r;
}

int bench_crowd(void)
{
	struct samples took[SIDES] = { 0 };
	int r = 0;

	for (int i = 0; i < 2 * ROUNDS && !r; i++)
		r = round_of(i % 2, &took[i % 2]);
	if (!r) {
		report_heading("10,000 connections of a process with a join each, ms");
		report_row(&(struct row){ "connected and joined, median",
					  samples_quantile(&took[SIDE_OURS], 0.5),
					  samples_quantile(&took[SIDE_PEER], 0.5), NAN,
					  TARGET_RATIO, LIMIT });
	}
	for (int i = 0; i < SIDES; i++)
		samples_free(&took[i]);
	return r;
}
