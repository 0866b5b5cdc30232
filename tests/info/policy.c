// SPDX-License-Identifier: MIT
/*
 * policy.c - why [policy] takes and leaves uplinks, as events show it
 */
#include "eventlog.h"
#include "metered.h"
#include "skip.h"

#define POOL(first, mode)                                           \
	"[pool]\nendpoint = 10.0.1.2 subflow" first "\nendpoint = " \
	"10.0.2.2 subflow\n[policy]\nmode = " mode "\n"

#define BOTH_UP                                                                \
	{ DO(start_log, NULL) },                                               \
	{                                                                      \
		DO(connect_one, NULL), SHOWS("joined", "10.0.2.2", "10.0.1.1", \
					     "-> joined from 10.0.2.2")        \
	}

LOG_TEST(policy, uplink_in_trouble_is_shown, POOL("", "handover"), BOTH_UP,
	 { DO(run_ip, "link set c1 down\n"),
	   SHOWS("backup", "10.0.1.2", "10.0.1.1",
		 "MP_PRIO to the peer: backup: an uplink is in trouble ([policy])\n"),
	   HAS("reason", "\"trouble\"") })

static void is_metered(struct log *l, const char *unused)
{
	struct said table = info(&l->s.w.client, (const char *[]){ "--json", NULL });

	cr_assert(strstr(table.out, "\"metered\""), "%s", table.out);
	cr_assert(strstr(table.out, "\"cost\":7"), "%s", table.out);
	said_free(&table);
	is_valid_json(&l->s.w.client, NULL);
}

LOG_TEST(policy, preferred_uplink_is_shown, POOL(" metered cost 7", "aggregate"), BOTH_UP,
	 { SHOWS("backup", "10.0.1.2", "10.0.1.1",
		 "MP_PRIO to the peer: backup: by preference ([policy])\n"),
	   HAS("reason", "\"preferred\"") },
	 { DO(is_metered, NULL) })

/* Each answer over the first link takes 100 ms and more. */
static void slow_down(struct log *l, const char *unused)
{
	const char *const argv[] = { "tc",   "qdisc",	"add",	"dev",	  "c1",
				     "root", "tbf",	"rate", "16kbit", "burst",
				     "1600", "latency", "10s",	NULL };

	cr_assert_eq(proc_run(&l->s.w.client, NULL, argv), 0);
	for (int i = 0; i < 40; i++)
		cr_assert_eq(proc_tell(&l->s.client, "echo 200"), 0);
}

LOG_TEST(policy, faster_uplink_is_shown, POOL("", "interactive"), BOTH_UP,
	 { DO(slow_down, NULL),
	   SHOWS("backup", "10.0.1.2", "10.0.1.1",
		 "MP_PRIO to the peer: backup: an uplink is faster ([policy])\n"),
	   HAS("reason", "\"latency\"") })

static void use_up(struct log *l, const char *bytes)
{
	cr_assert_eq(metered_mount(), 0);
	cr_assert_eq(metered_write(0, 0, bytes), 0);
}

LOG_TEST(policy, quota_that_is_used_up_is_shown,
	 POOL(" metered", "aggregate\nquota = 1G/month"), { DO(use_up, "1000000000") },
	 BOTH_UP,
	 { SHOWS("subflow_closed", "10.0.1.2", "10.0.1.1",
		 "the quota is used up ([policy])\n"),
	   HAS("reason", "\"quota\"") })
