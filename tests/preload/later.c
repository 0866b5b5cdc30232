// SPDX-License-Identifier: MIT
/*
 * later.c - checklist 12 and 16: whatever a program does after connecting, a later
 * announcement is still joined, exactly once
 */
#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint.h"
#include "manager.h"
#include "subflow.h"

#define SETTLE_MS 1500 /* more than the server waits for an echo */

static void announce(struct lab *lab, const char *address)
{
	const struct endpoint_spec e = { .addr = address, .flags = EP_SIGNAL };

	cr_assert_eq(endpoint_add(&lab->world.server, &e), 0);
}

static bool has_pairs(const struct host *h, bool is_server, const char *want)
{
	char *pairs = pairs_text(h, 0, is_server);
	bool has = !strcmp(pairs, want);

	free(pairs);
	return has;
}

static void pairs_are(struct lab *lab, const char *want, size_t joins)
{
	char *client, *server, *seen;

	WAIT_FOR(has_pairs(&lab->world.client, false, want) &&
		 has_pairs(&lab->world.server, true, want));
	nap_ms(SETTLE_MS); /* for joins that must not come */
	cr_assert_eq(capture_read(&lab->wire), 0);
	client = pairs_text(&lab->world.client, 0, false);
	server = pairs_text(&lab->world.server, 0, true);
	seen = capture_text(&lab->wire);
	cr_assert_str_eq(client, want, "client: \"%s\", wanted \"%s\"; seen:\n%s", client,
			 want, seen);
	cr_assert_str_eq(server, want, "server: \"%s\", wanted \"%s\"", server, want);
	cr_assert_eq(capture_count(&lab->wire, SEEN_MP_JOIN), joins,
		     "%zu joins on the wire, wanted %zu:\n%s",
		     capture_count(&lab->wire, SEEN_MP_JOIN), joins, seen);
	free(client);
	free(server);
	free(seen);
}

/* Each of the @connections must get the same subflows. */
static void joined_later(const char *how, int connections)
{
	const char *one = connections == 1 ? "10.0.2.2-10.0.2.1"
					   : "10.0.2.2-10.0.2.1 10.0.2.2-10.0.2.1";
	const char *two = connections == 1 ? "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1"
					   : "10.0.2.2-10.0.2.1 10.0.2.2-10.0.2.1 "
					     "10.0.3.2-10.0.3.1 10.0.3.2-10.0.3.1";

	const char *marker = "/run/marker";
	const struct program g = { .argv = { "hold", how, LAB_ADDRESS, LAB_PORT,
					     marker } };
	struct proc p;
	struct lab lab;

	lab_open(&lab);
	program_start(&lab, &g, POOL, &p);
	cr_assert(WAIT_FOR(!access(marker, F_OK)), "the program did not start");
	nap_ms(200); /* let the other process of a fork finish */
	cr_assert(WAIT_FOR(manager_listens(&lab.world.client)));
	announce(&lab, "10.0.2.1");
	pairs_are(&lab, one, connections);
	announce(&lab, "10.0.3.1");
	pairs_are(&lab, two, 2 * connections);
	proc_end(&p);
	lab_close(&lab);
}

#define JOINED_LATER(name, how)       \
	Test(later, name, TIMEOUT)    \
	{                             \
		joined_later(how, 1); \
	}

JOINED_LATER(joined_once_in_a_program_that_does_nothing_more, "nothing")
JOINED_LATER(joined_once_after_close_of_everything_else, "closeall")
JOINED_LATER(joined_once_after_closefrom, "closefrom")
JOINED_LATER(joined_once_after_close_range, "close_range")
JOINED_LATER(joined_once_after_dup2_over_everything_else, "dup2")
JOINED_LATER(joined_once_after_daemon, "daemon")
JOINED_LATER(joined_once_when_parent_and_child_live_on, "fork")
JOINED_LATER(joined_once_when_the_child_alone_lives_on, "orphan")
JOINED_LATER(joined_once_after_other_programs_were_run, "system")
JOINED_LATER(joined_once_after_a_vfork, "vfork")
JOINED_LATER(joined_once_when_a_thread_connected, "thread")
JOINED_LATER(joined_once_when_the_socket_moved_to_another_number, "move")
JOINED_LATER(joined_once_in_a_daemon_that_forked_twice_and_closed_all, "doublefork")
JOINED_LATER(joined_once_in_a_daemon_that_forked_twice_slowly, "slowdoublefork")
JOINED_LATER(joined_once_when_the_parent_ends_right_after_connect, "hasty")
JOINED_LATER(joined_once_when_the_parent_was_killed, "killed")
JOINED_LATER(joined_once_when_five_children_outlive_their_parent, "orphans")
JOINED_LATER(joined_once_when_the_parent_gave_its_socket_to_a_child, "childkeeps")
JOINED_LATER(joined_once_when_the_parent_executes_another_program, "parentexecs")
JOINED_LATER(joined_once_when_the_child_is_in_another_PID_namespace, "elsewhere")
JOINED_LATER(joined_once_in_a_child_that_has_its_parents_number, "samenumber")

Test(later, joined_once_each_when_parent_and_child_connected, TIMEOUT)
{
	joined_later("childconnects", 2);
}
