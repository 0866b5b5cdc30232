// SPDX-License-Identifier: MIT
/*
 * explain.c - each line of "explain" comes from its cause, brought about for real
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "info.h"
#include "skip.h"
#include "until.h"

#define TWO_PATHS "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"

/* "" if nothing is to be explained. */
static void explanation(const struct host *h, char out[static 700])
{
	json_t *root = info_json(h, (const char *[]){ "-p", "tcpclient", NULL });
	const json_t *why = json_object_get(at(root, "connections.0"), "explain");

	snprintf(out, 700, "%s", why ? json_string_value(why) : "");
	json_decref(root);
}

static bool says(const struct host *h, const char *what, char out[static 700])
{
	explanation(h, out);
	return strncmp(out, what, strlen(what)) == 0;
}

/* The line of the one connection comes to begin with @what; the table has it, too. */
static void is_explained(const struct stage *s, const char *what)
{
	char why[700], line[720];
	struct said said;

	cr_assert(WAIT_FOR(says(&s->w.client, what, why)), "'%s' instead of '%s'", why,
		  what);
	said = info(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	snprintf(line, sizeof(line), "\n  why        %s\n", why);
	cr_assert(strstr(said.out, line), "%s", said.out);
	said_free(&said);
}

/* Somewhere in the line, before long. */
static void is_explained_with(const struct stage *s, const char *what)
{
	char why[700];

	cr_assert(WAIT_FOR((explanation(&s->w.client, why), strstr(why, what))),
		  "'%s' without '%s'", why, what);
}

/* The announced address with @remote_id has this state and, from its start, reason. */
static void is_announced(const struct stage *s, int remote_id, const char *state,
			 const char *reason)
{
	json_t *root =
		info_json(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	const json_t *announced = NULL, *each;
	size_t i;

	json_array_foreach((json_t *)at(root, "connections.0.announced"), i, each)
	{
		if (number_at(each, "remote_id") == remote_id)
			announced = each;
	}
	cr_assert(announced, "nothing announced with id %d", remote_id);
	cr_assert_str_eq(text_at(announced, "state"), state);
	if (reason)
		cr_assert_eq(
			strncmp(text_at(announced, "reason"), reason, strlen(reason)), 0,
			"%s", text_at(announced, "reason"));
	else
		cr_assert_null(json_object_get(announced, "reason"));
	json_decref(root);
}

/* A preloaded client with this pool; the server announces ids 12 and 13. */
static void scene(struct stage *s, const char *pool)
{
	pool_write(pool);
	stage_announcing(s);
	stage_preloaded(s, "1");
}

Test(explain, all_paths_need_no_explanation)
{
	char why[700];
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS);
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	cr_assert(WAIT_FOR(says(&s.w.client, "", why) && !why[0]), "%s", why);
	is_announced(&s, 12, "joined", NULL);
	is_announced(&s, 13, "joined", NULL);
	stage_close(&s);
}

Test(explain, kernel_path_manager)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_path_manager(&s.w.client, PM_KERNEL), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "kernel path manager: ");
	stage_close(&s);
}

Test(explain, no_rights_and_no_broker)
{
	static const char *const without[] = { "setpriv", "--bounding-set=-net_admin",
					       "--inh-caps=-net_admin", NULL };
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	stage_preloaded_by(&s, without, "1");
	is_explained(&s, "no rights and no broker: ");
	stage_close(&s);
}

Test(explain, program_without_the_library)
{
	struct stage s;

	NEED_SANDBOX();
	stage_announcing(&s);
	stage_connect(&s, "10.0.1.1", "1");
	is_explained(&s, "no path manager: the program does not run under "
			 "libmptcpaddr.so");
	stage_close(&s);
}

Test(explain, library_that_was_told_to_manage_nothing)
{
	static const char *const none[] = { "env", "MPTCPADDR_BACKEND=none", NULL };
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	stage_preloaded_by(&s, none, "1");
	is_explained(&s, "no path manager: ");
	stage_close(&s);
}

Test(explain, nothing_announced)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_open(&s, 3);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "nothing announced: ");
	stage_close(&s);
}

Test(explain, fewer_announced_than_the_pool_has)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "endpoint = 10.0.1.2 laminar\n"
			    "endpoint = dead:beef:2::2 laminar\n"
			    "endpoint = 10.0.1.77 laminar\n");
	cr_assert_eq(host_ip(&s.w.client, "addr add 10.0.1.77/24 dev c1\n"), 0);
	is_explained(&s, "nothing more announced: all 2 addresses are joined");
	stage_close(&s);
}

Test(explain, pool_exhausted)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.3.2 laminar\n");
	is_explained(&s, "pool exhausted (all matching endpoints are in use): 10.0.");
	stage_close(&s);
}

Test(explain, endpoint_that_is_on_no_interface)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "endpoint = 10.0.9.9 laminar\n");
	is_explained(&s, "unavailable (on no interface that is up): 10.0.9.9");
	stage_close(&s);
}

Test(explain, filter)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[accept]\ndeny = 10.0.3.0/24\n");
	is_explained(&s, "filter ([accept] refuses it): 10.0.3.1 (id 13)");
	is_announced(&s, 13, "refused", "filter");
	is_announced(&s, 12, "joined", NULL);
	stage_close(&s);
}

Test(explain, limit_of_subflows)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[limits]\nsubflows = 1\n");
	is_explained(&s, "limit ([limits] subflows): 10.0.");
	stage_close(&s);
}

/* Routing picks the addresses, and the limit is what there is to tell. */
Test(explain, limit_of_a_pool_without_endpoints)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[limits]\nsubflows = 1\n");
	is_explained(&s, "limit ([limits] subflows)");
	cr_expect_eq(subflows_on(&s.w.client), 2);
	stage_close(&s);
}

Test(explain, limit_of_announcements)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[limits]\nadd_addr_accepted = 1\n");
	is_explained(&s, "limit ([limits] add_addr_accepted): 10.0.");
	stage_close(&s);
}

Test(explain, join_refused_by_the_peer_with_its_error)
{
	static const char refuse[] =
		"add table inet t\n"
		"add chain inet t c { type filter hook input "
		"priority 0; }\n"
		"add rule inet t c ip daddr 10.0.2.1 tcp dport " SERVER_PORT
		" reject with tcp reset\n";
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_nft(&s.w.server, refuse), 0);
	stage_preloaded(&s, "1");
	is_explained(&s,
		     "join refused by the peer: Connection refused: 10.0.2.1 (id 12)");
	is_announced(&s, 13, "joined", NULL);
	stage_close(&s);
}

static void drop_joins(const struct stage *s)
{
	cr_assert_eq(
		host_nft(&s->w.server,
			 "add table inet t\n"
			 "add chain inet t c { type filter hook input priority 0; }\n"
			 "add rule inet t c ip daddr 10.0.2.1 drop\n"),
		0);
}

Test(explain, join_under_way)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	drop_joins(&s);
	stage_preloaded(&s, "1");
	is_explained(&s, "being joined: 10.0.2.1 (id 12)");
	is_announced(&s, 12, "waiting", "being joined");
	is_announced(&s, 13, "joined", NULL);
	stage_close(&s);
}

Test(explain, join_that_fails_on_this_machine)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_ip(&s.w.client, "route add unreachable 10.0.2.1/32\n"), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "join failed: No route to host: 10.0.2.1 (id 12)");
	is_announced(&s, 13, "joined", NULL);
	stage_close(&s);
}

/* As middleboxes do that do not know the option. */
Test(explain, join_whose_answer_lost_its_option)
{
	static const char strip[] =
		"add table inet t\n"
		"add chain inet t c { type filter hook output priority 0; }\n"
		"add rule inet t c ip saddr 10.0.2.1 reset tcp option mptcp\n";
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_nft(&s.w.server, strip), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "join failed: no error reported: 10.0.2.1 (id 12)");
	stage_close(&s);
}

Test(explain, path_that_the_peer_prohibits)
{
	static const char *const prohibit = "tests/prohibit.py";
	char path[PATH_MAX];
	const char *const argv[] = { "python3",	  built(prohibit, path, PATH_MAX),
				     "s2",	  "10.0.2.1",
				     SERVER_PORT, NULL };
	struct proc p;
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(proc_start(&p, &s.w.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&p, "ready")));
	stage_preloaded(&s, "1");
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0, "%s", proc_errors(&p));
	is_explained(&s, "join refused by the peer: administratively prohibited: "
			 "10.0.2.1 (id 12)");
	is_announced(&s, 12, "refused", "join refused by the peer");
	is_announced(&s, 13, "joined", NULL);
	proc_end(&p);
	stage_close(&s);
}

/* It resets the join when it is complete here: Linux tells no error of that. */
Test(explain, path_that_the_peer_has_no_room_for)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(limits_set(&s.w.server, 1, 8), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "its subflow was closed: 10.0.");
	stage_close(&s);
}

Test(explain, path_that_was_closed_and_is_not_to_be_tried_again)
{
	static const char *const kill_path[] = { "ss", "-K", "dst", "10.0.2.2", NULL };
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[retry]\ntries = 0\n");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	cr_assert_eq(proc_run(&s.w.server, NULL, kill_path), 0);
	is_explained(&s, "its subflow was closed: 10.0.");
	stage_close(&s);
}

/* Without laminar endpoints an address is joined from where routing says, and once. */
Test(explain, path_whose_endpoint_left_the_pool)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.2.2 subflow\n");
	/* To both announced addresses, and from 10.0.2.2 to the first one. */
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 4));
	pool_write("[pool]\nendpoint = 10.0.3.2 subflow\n");
	is_explained(&s, "local address removed or down: 10.0.2.1 (id 12)");
	stage_close(&s);
}

Test(explain, endpoints_that_are_all_down)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_ip(&s.w.client, "link set c2 down\nlink set c3 down\n"), 0);
	stage_preloaded(&s, "1");
	is_explained(
		&s, "all remaining endpoints are unavailable: 10.0.2.1 (id 12), 10.0.3.1 "
		    "(id 13); unavailable (on no interface that is up): 10.0.2.2, "
		    "10.0.3.2");
	stage_close(&s);
}

Test(explain, pool_exhausted_but_for_what_is_down)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(host_ip(&s.w.client, "link set c3 down\n"), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "pool exhausted (all matching endpoints are in use): 10.0.3.1 "
			 "(id 13); unavailable (on no interface that is up): 10.0.3.2");
	stage_close(&s);
}

Test(explain, announced_address_of_another_family)
{
	static const struct endpoint_spec v6 = { .addr = "dead:beef:2::1",
						 .flags = EP_SIGNAL,
						 .id = 22 };
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(endpoint_add(&s.w.server, &v6), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "no endpoint of its address family: dead:beef:2::1 (id 22)");
	stage_close(&s);
}

Test(explain, pool_of_another_family)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = dead:beef:2::2 laminar\n");
	is_explained(&s, "no endpoint of the pool fits this connection");
	stage_close(&s);
}

/* Four addresses are named for each cause, and the others counted. */
Test(explain, several_causes_and_many_addresses)
{
	static const char *const denied[] = { "10.0.4.1", "10.0.4.2", "10.0.4.3",
					      "10.0.4.4", "10.0.4.5", "10.0.4.6" };
	struct endpoint_spec spec = { .flags = EP_SIGNAL };
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.3.2 laminar\n"
		  "[accept]\ndeny = 10.0.4.0/24\n");
	is_explained(&s, "pool exhausted (all matching endpoints are in use): 10.0.");
	for (int i = 0; i < 6; i++) {
		spec.addr = denied[i];
		spec.id = 21 + i;
		cr_assert_eq(endpoint_add(&s.w.server, &spec), 0);
	}
	is_explained_with(&s, "; filter ([accept] refuses it): 10.0.4.1 (id 21),"
			      " 10.0.4.2 (id 22), 10.0.4.3 (id 23), 10.0.4.4 (id 24)"
			      " and 2 more");
	stage_close(&s);
}

Test(explain, manager_that_does_not_answer)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS);
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	cr_assert_eq(kill(s.client.pid, SIGSTOP), 0);
	is_explained(&s, "not known: a manager that may have it could not be asked");
	cr_assert_eq(kill(s.client.pid, SIGCONT), 0);
	stage_close(&s);
}

Test(explain, excluded_destination)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[app]\nexclude = 10.0.1.0/24\n");
	is_explained(&s, "no pool for this destination (excluded)");
	is_announced(&s, 12, "waiting", "no pool for this destination");
	stage_close(&s);
}

Test(explain, pool_file_with_an_error)
{
	struct stage s;
	char why[700];

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.2.2 id 300 laminar\n");
	/* It runs as if it had no pool; who says so depends on how far it got. */
	cr_assert(WAIT_FOR(says(&s.w.client, "no p", why)), "%s", why);
	stage_close(&s);
}

Test(explain, fell_back_to_tcp)
{
	static const char *const echo[] = { "socat",
					    "TCP6-LISTEN:" SERVER_PORT
					    ",ipv6only=0,fork,reuseaddr",
					    "PIPE", NULL };
	struct stage s = { 0 };

	NEED_SANDBOX();
	cr_assert_eq(world_open(&s.w, 1), 0);
	cr_assert_eq(proc_start(&s.server, &s.w.server, echo, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(&s.w.server, atoi(SERVER_PORT))));
	pool_write(TWO_PATHS);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "fell back to TCP: ");
	stage_close(&s);
}
