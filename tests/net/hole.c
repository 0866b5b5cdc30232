// SPDX-License-Identifier: MIT
/*
 * hole.c - black holes: a path that answers nothing while its link is up
 *
 * The same transfers with a pool and with the kernel's endpoints, at the same time. Only
 * a retransmission timer, which doubles, makes the kernel's go on. HOLE_S=N sets how long
 * the hole lasts.
 */
#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLE_S	 16
#define BACK_MS	 3000 /* times load */
#define AFTER_MS 30000

struct hole {
	struct transfer t;
	int link;
	long long before; /* bytes on it when the hole ended */
	int back_ms;	  /* after which data flowed over it again; 0: not yet */
};

static int hole_seconds(void)
{
	return atoi(getenv("HOLE_S") ?: "0") ?: HOLE_S;
}

/* The far end of the link drops all that comes and goes; its own state stays up. */
static void hole_dig(struct hole *h, bool dig)
{
	char rules[400];

	snprintf(
		rules, sizeof(rules),
		dig ? "table inet hole {\n"
		      "chain i { type filter hook input priority 0; iifname s%d drop; }\n"
		      "chain o { type filter hook output priority 0; oifname s%d drop; "
		      "}\n"
		      "}\n"
		    : "delete table inet hole\n",
		h->link, h->link);
	cr_assert_eq(host_nft(&h->t.w.server, rules), 0);
	h->before = transfer_carried(&h->t, h->link);
}

static void hole_sample(struct hole *h, int since_ms)
{
	transfer_sample(&h->t);
	if (!h->back_ms && transfer_carried(&h->t, h->link) > h->before + TRANSFER_USED)
		h->back_ms = since_ms;
	cr_assert_eq(proc_wait(&h->t.curl, 0), -ETIMEDOUT, "%s", proc_errors(&h->t.curl));
}

static void follow_both(struct hole holes[2], int ms)
{
	const int64_t from = now_ms();

	while (now_ms() - from < ms)
		for (int i = 0; i < 2; i++)
			hole_sample(&holes[i], now_ms() - from);
}

/* With HOLE_S, until the kernel is back, too; that is as long as the hole lasted. */
static void follow_until_back(struct hole holes[2])
{
	const int ms = getenv("HOLE_S") ? AFTER_MS + hole_seconds() * 1000 : 2 * BACK_MS;
	const int64_t from = now_ms();
	int since = 0;

	while ((!holes[1].back_ms && since < AFTER_MS) ||
	       (!holes[0].back_ms && since < ms)) {
		for (int i = 0; i < 2; i++)
			hole_sample(&holes[i], now_ms() - from);
		since = now_ms() - from;
	}
}

static void path_is_back_sooner_than_with_the_kernel(int link, bool upload)
{
	static struct hole holes[2];

	NEED_SANDBOX();
	NEED_LAMINAR_HERE();
	for (int i = 0; i < 2; i++) {
		holes[i] = (struct hole){ .link = link };
		transfer_open(&holes[i].t, i ? FROM_POOL : FROM_KERNEL, upload,
			      hole_seconds() > 60 ? "1mbit" : "3mbit");
	}
	follow_both(holes, 4000);
	for (int i = 0; i < 2; i++)
		hole_dig(&holes[i], true);
	follow_both(holes, hole_seconds() * 1000);
	for (int i = 0; i < 2; i++) {
		hole_dig(&holes[i], false);
		holes[i].back_ms = 0;
	}
	follow_until_back(holes);
	cr_log_info("hole of %d s: back after %d ms, with the kernel's endpoints %d ms",
		    hole_seconds(), holes[1].back_ms, holes[0].back_ms);
	cr_assert(holes[1].back_ms && holes[1].back_ms <= BACK_MS * holes[1].t.load,
		  "after %d ms: %s", holes[1].back_ms, proc_errors(&holes[1].t.curl));
	cr_assert(strstr(proc_errors(&holes[1].t.curl), "replaced, as it answers again"),
		  "%s", proc_errors(&holes[1].t.curl));
	if (holes[0].back_ms)
		cr_assert_leq(holes[1].back_ms, holes[0].back_ms + BACK_MS / 2);
	for (int i = 0; i < 2; i++)
		transfer_close(&holes[i].t);
}

Test(hole, download_over_the_first_path_goes_on_soon_after_it)
{
	path_is_back_sooner_than_with_the_kernel(1, false);
}

Test(hole, upload_over_a_joined_path_goes_on_soon_after_it)
{
	path_is_back_sooner_than_with_the_kernel(2, true);
}
