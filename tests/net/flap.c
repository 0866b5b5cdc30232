// SPDX-License-Identifier: MIT
/*
 * flap.c - a transfer survives one of its three interfaces going down and up again
 *
 * The rate of the links is lifted once the interface has gone ten times. Each time data
 * must flow over it again, and the file that curl writes must keep growing. An upload may
 * stall: the client's kernel decides when it resends. After a longer absence data flows
 * again sooner than with endpoints of the kernel, which waits for a retransmission timer.
 */
#include "transfer.h"

#include <errno.h>
#include <stdio.h>

#define FLAPS	  10
#define RATE	  "10mbit" /* 30 s for the whole file */
#define STALL_MAX 20 /* samples: 1 s; a busy machine gets up to three times as many */
#define DOWN_MS	  400
#define ABSENT_MS 4000
#define BACK_MS	  1000 /* times machine_load() */

/* Return: after how many milliseconds data flows again. */
static int flap_link(struct transfer *t, int link, int down_ms)
{
	char text[160];
	long long before;
	int64_t back;

	snprintf(text, sizeof(text), "link set c%d down\n", link);
	cr_assert_eq(host_ip(&t->w.client, text), 0);
	transfer_follow(t, down_ms);
	/* The kernel forgets routes of a link that is down. */
	snprintf(text, sizeof(text),
		 "link set c%d up\nroute add default via 10.0.%d.1 dev c%d metric %d\n",
		 link, link, link, 10 * link);
	before = transfer_carried(t, link);
	cr_assert_eq(host_ip(&t->w.client, text), 0);
	back = now_ms();
	while (transfer_paths(t) < TRANSFER_PATHS ||
	       transfer_carried(t, link) < before + TRANSFER_USED) {
		transfer_sample(t);
		if (now_ms() - back < EFFECT_MS && t->curl.pid &&
		    proc_wait(&t->curl, 0) == -ETIMEDOUT)
			continue;
		cr_assert_fail(
			"link %d is not used again after %d ms: %d paths, %lld bytes; "
			"%ld bytes in all; %s",
			link, (int)(now_ms() - back), transfer_paths(t),
			transfer_carried(t, link) - before, (long)t->size,
			proc_errors(&t->curl));
	}
	back = now_ms() - back;
	cr_log_info("link %d is used again after %d ms", link, (int)back);
	return back;
}

static void flap_close(struct transfer *t)
{
	transfer_close(t);
	if (!t->upload)
		cr_assert_leq(t->stall, STALL_MAX * t->load, "no growth in %d samples",
			      t->stall);
}

static void transfer_while_flapping(int link, bool upload)
{
	struct transfer t;

	NEED_SANDBOX();
	transfer_open(&t, FROM_POOL, upload, RATE);
	transfer_follow(&t, 300);
	for (int i = 0; i < FLAPS; i++)
		flap_link(&t, link, DOWN_MS);
	flap_close(&t);
}

Test(flap, download_survives_its_first_interface_going_ten_times)
{
	transfer_while_flapping(1, false);
}

Test(flap, download_survives_its_second_interface_going_ten_times)
{
	transfer_while_flapping(2, false);
}

Test(flap, download_survives_its_last_interface_going_ten_times)
{
	transfer_while_flapping(3, false);
}

Test(flap, upload_survives_its_first_interface_going_ten_times)
{
	transfer_while_flapping(1, true);
}

static int back_after_absence(enum net_side side, bool upload, int *ret_load)
{
	struct transfer t;
	int ms;

	transfer_open(&t, side, upload, RATE);
	transfer_follow(&t, 300);
	ms = flap_link(&t, 1, ABSENT_MS);
	flap_close(&t);
	*ret_load = t.load;
	return ms;
}

static void link_is_back_sooner_than_with_the_kernel(bool upload)
{
	int load, kernel, pool;

	NEED_SANDBOX();
	NEED_LAMINAR_HERE();
	kernel = back_after_absence(FROM_KERNEL, upload, &load);
	pool = back_after_absence(FROM_POOL, upload, &load);
	cr_assert(pool <= BACK_MS * load && pool <= kernel + BACK_MS / 2 * load,
		  "after %d ms, with the kernel's endpoints after %d", pool, kernel);
}

Test(flap, download_over_a_link_that_is_back_goes_on_sooner_than_with_the_kernel)
{
	link_is_back_sooner_than_with_the_kernel(false);
}

Test(flap, upload_over_a_link_that_is_back_goes_on_sooner_than_with_the_kernel)
{
	link_is_back_sooner_than_with_the_kernel(true);
}

/*
 * DHCP gives the same address again at once, and a route later. Until then, the server
 * gets nothing: packets from there leave over another link. The change of the MTU makes
 * the manager read both notifications at a time.
 */
Test(flap, path_of_an_address_that_comes_again_at_once_goes_on_with_its_route)
{
	struct transfer t;
	long long before;
	int64_t at;
	int ms;

	NEED_SANDBOX();
	transfer_open(&t, FROM_POOL, false, "10mbit");
	transfer_follow(&t, 300);
	cr_assert_eq(host_nft(&t.w.server,
			      "table inet t { chain i { type filter hook input priority "
			      "0; iifname != s3 ip saddr 10.0.3.2 drop; }; }"),
		     0);
	cr_assert_eq(host_ip(&t.w.client, "link set c3 mtu 1499\n"
					  "addr del 10.0.3.2/24 dev c3\n"
					  "addr add 10.0.3.2/24 dev c3 noprefixroute\n"),
		     0);
	transfer_follow(&t, ABSENT_MS);
	before = transfer_carried(&t, 3);
	at = now_ms();
	cr_assert_eq(host_ip(&t.w.client, "route add 10.0.3.0/24 dev c3\n"), 0);
	while (transfer_carried(&t, 3) < before + TRANSFER_USED &&
	       now_ms() - at < EFFECT_MS)
		transfer_sample(&t);
	ms = now_ms() - at;
	cr_log_info("link 3 is used again after %d ms", ms);
	cr_assert_leq(ms, BACK_MS * t.load, "%d ms: %s", ms, proc_errors(&t.curl));
	transfer_close(&t);
}
