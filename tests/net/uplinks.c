// SPDX-License-Identifier: MIT
/*
 * uplinks.c - a transfer over two uplinks behind NAT routers, the first one down for 2.5
 * s, beside the kernel's endpoints in the same seconds
 *
 * The lengths of stalls are those of retransmission timers and vary: `make bench
 * PARTS=nat` has medians.
 */
#include "uplinks.h"

#include "net.h"

#define BACK_MS	 1000 /* these times machine_load(), at most 3 */
#define STALL_MS 1000 /* more than the kernel's */
#define TOTAL_MS 1500 /* likewise */

static void uplink_is_back(const struct absence *absence)
{
	struct absence_run runs[UPLINK_SIDES];
	struct absence_figures all[UPLINK_SIDES], *kernel = &all[UPLINK_KERNEL], *f;
	int load;

	NEED_SANDBOX();
	for (int i = 0; i < UPLINK_SIDES; i++)
		cr_assert_eq(absence_start(&runs[i], absence, i), 0);
	for (int i = 0; i < UPLINK_SIDES; i++)
		cr_assert_eq(absence_finish(&runs[i], &all[i]), 0, "%s",
			     uplink_side_name(i));
	for (int i = UPLINK_DEV; i < UPLINK_SIDES; i++) {
		f = &all[i];
		load = f->load < 3 ? f->load : 3;
		cr_log_info("%s: stall %.0f ms from %+.0f ms, total %.0f ms, back after "
			    "%.0f ms; kernel: %.0f, %+.0f, %.0f, %.0f",
			    uplink_side_name(i), f->stall, f->began, f->total, f->back,
			    kernel->stall, kernel->began, kernel->total, kernel->back);
		cr_expect(f->back <= BACK_MS * load, "%s: back after %.0f ms",
			  uplink_side_name(i), f->back);
		cr_expect(f->stall <= kernel->stall + STALL_MS * load,
			  "%s: %.0f ms without data, %.0f with the kernel's endpoints",
			  uplink_side_name(i), f->stall, kernel->stall);
		cr_expect(f->total <= kernel->total + TOTAL_MS * load,
			  "%s: %.0f ms in all, %.0f with the kernel's endpoints",
			  uplink_side_name(i), f->total, kernel->total);
	}
}

Test(uplinks, download_uses_an_uplink_that_is_back)
{
	uplink_is_back(&(struct absence){ .seconds = 2.5 });
}

Test(uplinks, upload_uses_an_uplink_that_is_back)
{
	uplink_is_back(&(struct absence){ .seconds = 2.5, .upload = true });
}

/* As links do that have just come up: the kernel repeats a request after 1 s. */
Test(uplinks, first_arp_request_over_an_uplink_that_is_back_may_be_lost)
{
	uplink_is_back(&(struct absence){ .seconds = 2.5, .deaf_ms = 200 });
}
