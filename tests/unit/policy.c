// SPDX-License-Identifier: MIT
/*
 * policy.c - which uplinks carry data: [policy] mode, `metered`, `cost`
 *
 * 10.0.1.2 has the first path, 10.0.2.2 and 10.0.3.2 join the same address.
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>

#define TWO(first, second)                              \
	"[pool]|endpoint=10.0.1.2 id 11 subflow " first \
	"|endpoint=10.0.2.2 id 12 subflow " second "|[policy]|mode="
#define HANDOVER TWO("", "") "handover|"

#define FIRST  "10.0.1.2:40001 10.0.1.1:80 "
#define SECOND "10.0.2.2:10012 10.0.1.1:80 "
#define USE_1  "flags 10.0.1.2/0-10.0.1.1:80;"
#define USE_2  "flags 10.0.2.2/12-10.0.1.1:80;"
#define REST_1 "flags 10.0.1.2/0-10.0.1.1:80 backup;"
#define REST_2 "flags 10.0.2.2/12-10.0.1.1:80 backup;"
#define CHECK  "check 10.0.1.2/0-10.0.1.1:80;check 10.0.2.2/12-10.0.1.1:80 backup;"
/* The first link is down. */
#define MOVE                                                       \
	"links 1 > " REST_1 USE_2 "check 10.0.2.2/12-10.0.1.1:80;" \
	"check 10.0.1.2/0-10.0.1.1:80 backup;\n"

#define CHECK_BACK "check 10.0.2.2/12-10.0.1.1:80;check 10.0.1.2/0-10.0.1.1:80 backup;"

#define RETURN                                               \
	USE_1 REST_2 "check 10.0.2.2/12-10.0.1.1:80 backup;" \
		     "check 10.0.1.2/0-10.0.1.1:80;\n"

#define JOINED                                           \
	"watch\n"                                        \
	"start > join 10.0.2.2/12-10.0.1.1:80 backup;\n" \
	"up >\n"

HISTORY(policy, handover_moves_at_once_when_a_link_goes_down, HANDOVER, JOINED MOVE)

HISTORY(policy, handover_returns_when_the_link_has_been_up_for_five_seconds, HANDOVER,
	JOINED MOVE "time 60000\n"
		    "links 0\n"
		    "time 64999 > " CHECK_BACK "\n"
		    "time 66100 > " RETURN)

HISTORY(policy, handover_leaves_a_path_whose_retransmissions_have_no_answer, HANDOVER,
	JOINED "time 127 > " CHECK "\n"
	       "checked " FIRST "1000 20\n"
	       "time 255\nchecked " FIRST "1000 20 20 1 >\n"
	       "time 383\nchecked " FIRST "1000 20 20 1 > " REST_1 USE_2
	       "join 10.0.1.2/0-10.0.1.1:80 backup;\n")

HISTORY(policy, handover_asks_a_path_that_brings_nothing_any_more, HANDOVER,
	JOINED "time 127\nchecked " FIRST "1000 20\n"
	       "time 255\nchecked " FIRST "9000 20 >\n"
	       "time 383\nchecked " FIRST "9000 20 >\n"
	       "time 511\nchecked " FIRST
	       "9000 20 > join 10.0.1.2/0-10.0.1.1:80 backup;\n"
	       "time 761 > close 10.0.1.2/0-10.0.1.1:80 backup;\n"
	       "time 762 > " REST_1 USE_2 "\n")

HISTORY(policy, metered_path_carries_nothing_beside_another,
	TWO("", "metered") "aggregate|",
	JOINED "time 127\nchecked " FIRST "1000 20\n"
	       "links 1 > " REST_1 USE_2 "check 10.0.1.2/0-10.0.1.1:80 backup;\n")

HISTORY(policy, path_of_higher_cost_carries_nothing_beside_another,
	TWO("cost 1", "cost=2") "aggregate|", JOINED MOVE)

HISTORY(policy, first_path_of_higher_cost_rests_once_another_joins,
	TWO("metered", "") "aggregate|",
	"watch\nstart > join 10.0.2.2/12-10.0.1.1:80;\n"
	"up > " REST_1 "\n")

HISTORY(policy, paths_of_one_cost_carry_data_together,
	TWO("cost 1", "cost 1") "aggregate|",
	"start > join 10.0.2.2/12-10.0.1.1:80;\nup >\n")

HISTORY(policy, aggregate_alone_reads_nothing, TWO("", "") "aggregate|",
	"watch\nstart > join 10.0.2.2/12-10.0.1.1:80;\nup >\n"
	"time 200\ntime 400 >\ntime 1000 >\n")

HISTORY(policy, interactive_takes_the_faster_uplink, TWO("", "") "interactive|",
	JOINED "time 127\nchecked " FIRST "1000 60\nchecked " SECOND "1 20\n"
	       "time 255\nchecked " FIRST "2000 60 >\n"
	       "time 383\nchecked " FIRST "3000 60 >\n"
	       "time 511\nchecked " FIRST "4000 60 > " REST_1 USE_2 "\n")

HISTORY(policy, interactive_stays_for_a_small_difference, TWO("", "") "interactive|",
	JOINED "time 127\nchecked " FIRST "1000 26\nchecked " SECOND "1 20\n"
	       "time 255\nchecked " FIRST "2000 26 >\n"
	       "time 383\nchecked " FIRST "3000 26 >\n"
	       "time 511\nchecked " FIRST "4000 26 >\n")

/* Each time that it disappoints soon again, it waits for twice as long. */
HISTORY(policy, uplink_at_the_edge_is_taken_ever_more_rarely, HANDOVER,
	JOINED MOVE "time 1000\nlinks 0\n"
		    "time 6100 > " RETURN "time 7000\nlinks 1\nlinks 0\n"
		    "time 11900 > " CHECK_BACK "\n"
		    "time 17100 > " RETURN "time 18000\nlinks 1\nlinks 0\n"
		    "time 36900 > " CHECK_BACK "\n"
		    "time 38100 > " RETURN)

/* Of all uplinks in trouble, the one in use stays. */
HISTORY(policy, nothing_moves_while_all_links_are_down, HANDOVER,
	JOINED "links 3\ntime 1000\nlinks 3\n"
	       "time 1100\nlinks 2 > " CHECK "\n")

HISTORY(policy, lost_mp_prio_is_repeated_while_the_reserve_carries_data, HANDOVER,
	JOINED MOVE "time 255\nchecked " SECOND "1000 20\n"
		    "time 60000\nlinks 0\n"
		    "time 65100 > " RETURN "checked " SECOND "100000 20\n"
		    "time 66200\nchecked " SECOND "200000 20 > " USE_1 REST_2
		    "check 10.0.1.2/0-10.0.1.1:80;\n"
		    "time 67000\nchecked " SECOND
		    "300000 20 > check 10.0.1.2/0-10.0.1.1:80;\n")

/* Linux, before the fourth ACK of a join */
HISTORY(policy, refused_mp_prio_is_repeated, HANDOVER,
	JOINED MOVE "unsent " SECOND "\n"
		    "wait 1 100\n"
		    "time 102 > " USE_2 "check 10.0.1.2/0-10.0.1.1:80 backup;\n"
		    "unsent " SECOND "\n"
		    "time 303 > " USE_2 CHECK_BACK "\n")

HISTORY(policy, refused_backup_flag_of_an_endpoint_is_repeated,
	"[pool]|endpoint=10.0.1.2 id 11 subflow|endpoint=10.0.2.2 id 12 subflow",
	"start > join 10.0.2.2/12-10.0.1.1:80;\n"
	"up >\n"
	"pool 0 [pool]|endpoint=10.0.1.2 id 11 subflow|endpoint=10.0.2.2 id 12 subflow "
	"backup > " REST_2 "\n"
	"unsent " SECOND "\n"
	"time 102 > " REST_2 "\n"
	"wait none\n")

HISTORY(policy, pool_without_a_policy_uses_all_again, HANDOVER,
	JOINED "pool 0 [pool]|endpoint=10.0.1.2 id 11 subflow|endpoint=10.0.2.2 id 12 "
	       "subflow > " USE_2 "check 10.0.1.2/0-10.0.1.1:80;"
	       "check 10.0.2.2/12-10.0.1.1:80;\n")

/* More than half of 2^32 ms */
HISTORY(policy, uplink_that_was_left_is_ready_a_month_later, HANDOVER,
	JOINED MOVE "time 1000\nlinks 0\ntime 6100 > " RETURN "closed\n"
		    "time 2800000000\n@2 connect 10.0.2.2 10.0.1.1:80\n"
		    "time 2800000002 > join 10.0.1.2/11-10.0.1.1:80 backup;\n"
		    "@2 up > flags 10.0.2.2/0-10.0.1.1:80 backup;"
		    "flags 10.0.1.2/11-10.0.1.1:80;\n")

/* What the kernel says after a loss of events, not what the pool would have. */
HISTORY(policy, paths_are_as_before_when_events_were_lost, HANDOVER,
	JOINED MOVE "time 1000\nlinks 0\n"
		    "resync_begin\n"
		    "has 10.0.1.2:40001 10.0.1.1:80 first backup\n"
		    "has 10.0.2.2:10012 10.0.1.1:80 0\n"
		    "resync_end >\n"
		    "time 6100 > flags 10.0.1.2-10.0.1.1:80;"
		    "flags 10.0.2.2-10.0.1.1:80 backup;"
		    "check 10.0.1.2-10.0.1.1:80;"
		    "check 10.0.2.2-10.0.1.1:80 backup;\n")

/* A peer that refuses a path says nothing about the uplink to others. */
HISTORY(policy, refused_join_is_no_trouble_of_its_uplink,
	TWO("cost 1", "cost 1") "aggregate|",
	"start > join 10.0.2.2/12-10.0.1.1:80;\nup >\n"
	"time 10\nreset 10.0.2.2-10.0.1.1:80 prohibited >\n"
	"@2 connect 10.0.1.2 10.0.1.1:80\ntime 12 > join 10.0.2.2/12-10.0.1.1:80;\n")

Test(policy, path_that_ends_before_its_connection_is_established_wakes_nobody)
{
	const struct pm_registration reg = { .token = TOKEN };
	struct pm_event ev = { .type = PM_EVENT_CREATED,
			       .token = TOKEN,
			       .family = AF_INET,
			       .local = at("10.0.1.2:40001"),
			       .remote = at("10.0.1.1:80") };
	struct play p;

	play_open(&p, HANDOVER);
	cr_assert_eq(engine_register(p.engine, &reg), 0);
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	play_foreign_down(&p, TOKEN, "10.0.1.2:40001", "10.0.1.1:80", ECONNRESET, 0);
	play_time(&p, 1);
	cr_assert_eq(engine_wait(p.engine), -1);
	play_close(&p);
}

/* Nothing could replace it, so nobody needs to know eight times a second. */
HISTORY(policy, last_path_without_an_answer_is_not_noted, HANDOVER,
	JOINED "time 127\nchecked " FIRST "1000 20\nlinks 2\n"
	       "time 255\nchecked " FIRST "1000 20 20 2\n"
	       "time 383\nchecked " FIRST "1000 20 20 2\n"
	       "counter paths_silent 0\n"
	       "links 0\ntime 600\nchecked " FIRST "1000 20 20 2\n"
	       "counter paths_silent 1\n")

/* The first connection's server has died: that says nothing to the second one. */
#define FIRST_2 "10.0.1.2:40002 10.0.1.1:80 "
#define DEAD	"checked " FIRST "1000 20 20 2\nchecked " SECOND "1 20 20 2\n"
HISTORY(policy, dead_server_keeps_no_uplink_from_others, HANDOVER,
	JOINED "@2 connect 10.0.1.2 10.0.1.1:80\ntime 3\n"
	       "@2 up 10.0.2.2-10.0.1.1:80\n"
	       "time 127\nchecked " FIRST "1000 20\n@2 checked " FIRST_2 "1000 20\n"
	       "time 255\n" DEAD "@2 checked " FIRST_2 "1000 20 20 2\n"
	       "time 1000\n@2 checked " FIRST_2 "2000 20\n"
	       "time 3000\n" DEAD "@2 checked " FIRST_2 "2000 20\n"
	       "time 5900\n" DEAD "time 5901\n@2 checked " FIRST_2 "2000 20 >\n"
	       "time 6100\n" DEAD "time 6101\n@2 checked " FIRST_2
	       "2000 20 > " USE_1 REST_2 "\n")

/* Without a policy, an idle connection is checked after up to a minute. */
HISTORY(policy, new_policy_checks_at_once, TWO("", "") "aggregate|",
	"watch\nstart\nup\ntime 1000\ntime 5000\ntime 20000\ntime 60000\n"
	"time 61000 >\nwait 10000 64000\n"
	"pool 0 " HANDOVER " > " REST_2 CHECK "\nwait 0 2000\n")

#define QUOTA "aggregate|quota=1k/day|"
#define ALONE "[pool]|endpoint=10.0.1.2 id 11 subflow metered|[policy]|quota=1k/day|"

HISTORY(policy, metered_path_is_counted_between_its_checks, TWO("", "metered") QUOTA,
	JOINED "time 127\nchecked " SECOND "1000 20\nchecked " FIRST "1000 20\n"
	       "metered 0\n"
	       "time 255\nchecked " SECOND "5000 20\nchecked " FIRST "9000 20\n"
	       "metered 4000\nmetered 0\n"
	       "checked " SECOND "-1 20\nmetered -5001\n"
	       "checked " SECOND "99 20\nmetered 100\n")

HISTORY(policy, metered_path_without_quota_is_not_counted,
	TWO("", "metered") "aggregate|",
	JOINED "time 127\nchecked " SECOND "1000 20\n"
	       "time 255\nchecked " SECOND "5000 20\nmetered 0\n")

HISTORY(policy, only_path_is_counted_if_it_is_metered, ALONE,
	"watch\nstart > check 10.0.1.2/0-10.0.1.1:80;\n"
	"checked " FIRST "1000 20\ntime 255 > check 10.0.1.2/0-10.0.1.1:80;\n"
	"checked " FIRST "3000 20\nmetered 2000\n")

HISTORY(policy, quota_ends_the_path_until_the_next_period, TWO("", "metered") QUOTA,
	JOINED "spent 2 > withdraw 10.0.2.2:10012/12 backup;reset "
	       "10.0.2.2/12-10.0.1.1:80 backup;check 10.0.1.2/0-10.0.1.1:80;\n"
	       "ends " SECOND "\n"
	       "time 100000\n"
	       "view endpoints_used 1\n"
	       "spent 0 > join 10.0.2.2/12-10.0.1.1:80 backup;\n")

HISTORY(policy, quota_ends_the_only_path, ALONE,
	"start\nspent 1 > withdraw 10.0.1.2:40001/0;reset 10.0.1.2/0-10.0.1.1:80;\n")

#define END_1 "withdraw 10.0.1.2:40001/0;reset 10.0.1.2/0-10.0.1.1:80;"

/* A connection without a path is closed by a peer that has not accepted it yet. */
HISTORY(policy, quota_ends_the_first_path_once_there_is_another, TWO("metered", "") QUOTA,
	"watch\nspent 1\nstart > join 10.0.2.2/12-10.0.1.1:80;\n"
	"up > " END_1 "\n")

HISTORY(policy, quota_ends_the_first_path_if_there_is_no_other_for_long,
	TWO("metered", "") QUOTA,
	"watch\nspent 1\nstart > join 10.0.2.2/12-10.0.1.1:80;\ntime 4900\n"
	"time 7000 > " END_1 "\n")

HISTORY(policy, refused_end_of_a_path_is_repeated, ALONE,
	"start\nspent 1 > " END_1 "\nkept " FIRST " EINVAL\nwait 1 100\n"
	"time 102 > " END_1 "\nkept " FIRST " EINVAL\nwait 101 200\n"
	"time 303 > " END_1 "\n")

HISTORY(policy, end_of_a_path_that_is_gone_is_not_repeated, ALONE,
	"start\nspent 1 > " END_1 "\nkept " FIRST " ESRCH\nwait none\nends " FIRST "\n")

/* Linux 6.18 holds back what the peer has written while there was no path. */
HISTORY(policy, first_path_after_none_sends_mp_prio,
	"[pool]|endpoint=10.0.1.2 id 11 laminar",
	"start\nends " FIRST "ECONNRESET\ntime 3000 > join 10.0.1.2/11-10.0.1.1:80;\n"
	"up >\ntime 3099\ntime 3100 > flags 10.0.1.2/11-10.0.1.1:80;\nwait none\n")
