// SPDX-License-Identifier: MIT
/*
 * events.c - announcements, withdrawals, limits on what peers control
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

HISTORY(events, repeated_announcement_does_nothing_while_its_subflow_is_there, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"announce 1 10.0.2.1:80 >\n" /* pending, unanswered */
	"announce 1 10.0.2.1:80 >\n" /* pending */
	"up 10.0.2.2-10.0.2.1:80\n"
	"announce 1 10.0.2.1:80 >\n" /* live */
	"counter add_addr_repeated 3\n"
	"counter add_addr_joined 1\n")

HISTORY(events, repeated_announcement_is_joined_again_after_its_subflow_closed, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 >\n" /* the peer must announce it again */
	"join 1 10.0.2.2 10.0.2.1:80\n")

HISTORY(events, address_that_a_subflow_reaches_is_not_joined_again, THREE,
	"connect\n"
	"announce 1 10.0.1.1:80 >\n" /* the first subflow */
	"foreign 10.0.9.2:555 9 10.0.2.1:80\n"
	"announce 2 10.0.2.1:80 >\n"
	"join 3 10.0.2.2 10.0.2.1:8080\n" /* another port */)

HISTORY(events, one_address_under_two_ids_gets_one_subflow, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.2.1:80 >\n"
	"down 10.0.2.2-10.0.2.1:80\n")

HISTORY(events, failure_of_one_of_two_ids_with_the_same_address_is_its_own,
	"[pool]|endpoint=10.0.2.2|endpoint=10.0.3.2|[limits]|add_addr_accepted=1|",
	"connect\n"
	"join 9 10.0.2.2 10.0.9.1:80\n"
	"announce 1 10.0.2.1:80\n" /* both wait for the limit */
	"announce 2 10.0.2.1:80 >\n"
	"remove 1\n"
	"down 10.0.2.2-10.0.9.1:80 >\n"
	"remove 9 > join 10.0.2.2-10.0.2.1:80;\n"
	"announce 1 10.0.2.1:80 >\n"
	"refuse 10.0.2.2-10.0.2.1:80 EADDRNOTAVAIL > join 10.0.3.2-10.0.2.1:80;\n"
	"refuse 10.0.3.2-10.0.2.1:80 EADDRNOTAVAIL >\n"
	"view waiting 1\n")

/* Withdrawn, announced again, and only then the first join fails. */
HISTORY(events, announcement_renewed_during_its_join_is_not_forgotten, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"remove 1\n"
	"announce 1 10.0.2.1:80 >\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED > join 10.0.3.2-10.0.2.1:80;\n")

HISTORY(events, announcement_renewed_after_a_withdrawal_is_joined_after_a_failure,
	"[pool]|endpoint=10.0.2.2",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"remove 1\n" /* before the peer sees the join */
	"up 10.0.2.2-10.0.2.1:80\n"
	"announce 1 10.0.2.1:80 >\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT\n"
	"view waiting 1\n"
	"time 2000 > join 10.0.2.2-10.0.2.1:80;\n")

HISTORY(events, address_of_the_client_itself_is_never_joined,
	"[pool]|endpoint=10.0.2.2|endpoint=10.0.3.2|",
	"connect\n"
	"announce 1 10.0.3.2:80 >\n"
	"reason own\n"
	"counter add_addr_filtered 1\n"
	"join 2 10.0.2.2 10.0.2.1:80\n")

HISTORY(events, own_address_is_joined_on_a_local_connection_or_if_allowed,
	"[pool]|endpoint=10.0.2.2|endpoint=10.0.3.2|",
	"connect 127.0.0.1 127.0.0.1:80\n"
	"join 1 10.0.2.2 10.0.3.2:80\n"
	"@2 connect 10.0.3.2 10.0.3.2:80\n"
	"@2 announce 1 10.0.2.2:80 > join 10.0.2.2-10.0.2.2:80;\n"
	"@3 connect 10.0.1.2 10.0.1.1:80\n"
	"@3 announce 1 10.0.3.2:80 >\n"
	"pool 0 [pool]|endpoint=10.0.2.2|endpoint=10.0.3.2|[accept]|allow=10.0.3.2 > "
	"join 10.0.2.2-10.0.3.2:80;\n")

HISTORY(events, private_address_of_a_public_server_is_refused_until_the_pool_accepts_it,
	"[pool]|endpoint=10.0.2.2|",
	"connect 10.0.1.2 198.51.100.1:80\n"
	"announce 1 10.0.9.1:80 >\n"
	"reason private\n"
	"counter add_addr_filtered 1\n"
	"pool 0 [pool]|endpoint=10.0.2.2|[accept]|private=all > "
	"join 10.0.2.2-10.0.9.1:80;\n")

HISTORY(events, filtered_address_is_refused_and_does_not_wait,
	"[pool]|endpoint=10.0.2.2|[accept]|deny=10.0.5.0/24|",
	"connect\n"
	"announce 1 127.0.0.1:80 >\n"
	"announce 2 10.0.5.1:80 >\n"
	"counter add_addr_filtered 2\n"
	"view waiting 0\n"
	"join 3 10.0.2.2 10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 >\n")

HISTORY(events, loopback_may_be_announced_on_a_loopback_connection,
	"[pool]|endpoint=127.0.0.2|",
	"connect 127.0.0.1 127.0.0.1:80\n"
	"join 1 127.0.0.2 127.0.0.9:80\n")

HISTORY(events, id_0_with_another_address_than_the_first_is_refused, THREE,
	"connect\n"
	"announce 0 10.0.2.1:80 >\n"
	"counter add_addr_filtered 1\n")

HISTORY(events, withdrawn_remote_id_drops_its_announcements_only,
	"[pool]|endpoint=10.0.2.2",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"announce 2 10.0.3.1:8080\n"
	"announce 3 10.0.4.1:80\n"
	"view waiting 3\n"
	"remove 2 >\n"
	"view waiting 1\n"
	"down 10.0.2.2-10.0.2.1:80 > join 10.0.2.2-10.0.4.1:80;\n")

HISTORY(events, withdrawn_address_frees_its_endpoint_when_the_subflow_has_closed,
	"[pool]|endpoint=10.0.2.2",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"remove 1\n"
	"announce 2 10.0.3.1:80 >\n" /* the subflow closes later */
	"down 10.0.2.2-10.0.2.1:80 > join 10.0.2.2-10.0.3.1:80;\n")

HISTORY(events, connections_do_not_share_endpoints_nor_ids, THREE,
	"@1 connect\n"
	"@1 announce 1 10.0.2.1:80 > join 10.0.2.2/2-10.0.2.1:80;\n"
	"@2 connect\n"
	"@2 announce 1 10.0.2.1:80 > join 10.0.2.2/2-10.0.2.1:80;\n"
	"@3 connect\n"
	"@3 announce 1 10.0.2.1:80 > join 10.0.2.2/2-10.0.2.1:80;\n"
	"used_ids 3\n"
	"@2 closed\n"
	"used_ids 2\n"
	"conns 2\n")

HISTORY(events, closed_connection_leaves_nothing_behind, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 > join 10.0.3.2-10.0.3.1:80;\n"
	"foreign 10.0.7.2:7 9 10.0.7.1:80\n"
	"closed >\n"
	"conns 0\n"
	"used_ids 0\n"
	/* the kernel's answer comes after the end */
	"refuse 10.0.3.2-10.0.3.1:80 EINVAL >\n"
	"unknown\n")

HISTORY(events, events_of_unregistered_connections_are_reported_as_such, THREE,
	"connect\n"
	"@77 unknown >\n"
	"conns 1\n")

Test(events, priority_of_the_peer_is_noted)
{
	struct pm_note notes[16];
	struct pm_event ev = { .type = PM_EVENT_SUB_PRIORITY,
			       .token = TOKEN,
			       .local = at("10.0.1.2:40001"),
			       .remote = at("10.0.1.1:80"),
			       .backup = true };
	struct play p;
	unsigned int n;

	play_open(&p, POOL);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	n = engine_notes(p.engine, 0, 16, notes);
	cr_assert_eq(notes[n - 1].what, PM_NOTE_PRIORITY);
	cr_assert(notes[n - 1].flags & PM_NOTE_FLAG_BACKUP);
	play_close(&p);
}

Test(events, unexpected_results_and_events_change_nothing)
{
	struct pm_cmd c = { .type = PM_CMD_SUBFLOW_CREATE,
			    .token = 77,
			    .local = at("10.0.2.2"),
			    .remote = at("10.0.2.1:80") };
	struct pm_event ev = { .type = PM_EVENT_SUB_CLOSED,
			       .token = TOKEN,
			       .local = at("10.0.7.2:1"),
			       .remote = at("10.0.7.1:1") };
	struct play p;

	engine_free(NULL);
	play_open(&p, POOL "endpoint=10.0.2.2\n");
	play_answer(&p, &c, EINVAL); /* of an ended connection */
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	c.token = TOKEN;
	play_answer(&p, &c, EINVAL); /* of no subflow */
	c.type = PM_CMD_REMOVE;
	play_answer(&p, &c, EINVAL);
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_answer(&p, &c, EINVAL); /* too late */
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	ev = (struct pm_event){ .type = PM_EVENT_ESTABLISHED,
				.token = TOKEN,
				.family = AF_INET,
				.local = at("10.0.1.2:40001"),
				.remote = at("10.0.1.1:80") };
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	cr_assert_eq(play_view(&p, TOKEN).subflows, 2);
	wanted_none(&p);
	play_close(&p);
}

HISTORY(events, announcement_again_while_it_waits_is_one_still, POOL "endpoint=10.0.2.2|",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"view announced 2\n"
	"view waiting 1\n")

Test(events, announcements_remembered_are_bounded)
{
	struct pm_conn_report view;
	char remote[32];
	struct play p;
	int i;

	connected(&p, "[pool]\nendpoint=10.0.2.2");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	for (i = 0; i < 1000; i++) {
		snprintf(remote, sizeof(remote), "10.1.%d.%d:80", i / 250, i % 250 + 1);
		play_announce(&p, TOKEN, 2 + i % 250, remote);
		wanted_none(&p);
	}
	view = play_view(&p, TOKEN);
	cr_assert_eq(view.announced, ENGINE_ANNOUNCED_MAX);
	cr_assert_eq(engine_counters(p.engine)->add_addr_limited,
		     1000 - (ENGINE_ANNOUNCED_MAX - 1));
	play_close(&p);
}

Test(events, subflows_of_others_are_bounded)
{
	struct pm_event ev = { .type = PM_EVENT_SUB_ESTABLISHED, .token = TOKEN };
	struct play p;
	int i;

	connected(&p, THREE);
	ev.remote = at("10.0.7.1:80");
	ev.local = at("10.0.7.2");
	for (i = 1; i < ENGINE_SUBFLOWS_MAX; i++) {
		ev.local.port = i;
		cr_assert_eq(engine_handle(p.engine, &ev, &p.out), 0);
	}
	ev.local.port = i;
	cr_assert_eq(engine_handle(p.engine, &ev, &p.out), -ENOMEM);
	cr_assert_eq(play_view(&p, TOKEN).subflows, ENGINE_SUBFLOWS_MAX);
	play_close(&p);
}

HISTORY(events, registering_twice_is_registering_once, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"register\n"
	"conns 1\n"
	"view subflows 2\n")

HISTORY(events, connections_without_an_event_expire_and_others_do_not, THREE,
	"@99 connect\n" /* registered at 0, confirmed */
	"@1 register 10\n"
	"@2 register 20\n"
	"@3 register 30\n"
	"@4 register 40\n"
	"expire 10 0\n"
	"expire 31 3\n"
	"conns 2\n"
	"expire 1000 1\n"
	"@99 view established 1\n")
