// SPDX-License-Identifier: MIT
/*
 * explain.c - each line of "explain" comes from its cause, brought about for real
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "info.h"
#include "skip.h"
#include "until.h"

#define SETTLE_MS 5000
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

	cr_assert(WAIT_UNTIL(says(&s->w.client, what, why), SETTLE_MS),
		  "'%s' instead of '%s'", why, what);
	said = info(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	snprintf(line, sizeof(line), "\n  why        %s\n", why);
	cr_assert(strstr(said.out, line), "%s", said.out);
	said_free(&said);
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
	cr_assert(WAIT_UNTIL(subflows_on(&s.w.client) == 3, SETTLE_MS));
	cr_assert(WAIT_UNTIL(says(&s.w.client, "", why) && !why[0], SETTLE_MS), "%s",
		  why);
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
	is_explained(&s, "pool exhausted (every endpoint that fits is in use): 10.0.");
	stage_close(&s);
}

Test(explain, endpoint_that_is_on_no_interface)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "endpoint = 10.0.9.9 laminar\n");
	is_explained(&s, "unavailable (on no interface): 10.0.9.9");
	stage_close(&s);
}

Test(explain, filter)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[accept]\ndeny = 10.0.3.0/24\n");
	is_explained(&s, "filter ([accept] does not let it through): 10.0.3.1 (id 13)");
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

Test(explain, excluded_destination)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS "[app]\nexclude = 10.0.1.0/24\n");
	is_explained(&s, "no pool for this destination");
	stage_close(&s);
}

Test(explain, pool_file_with_an_error)
{
	struct stage s;
	char why[700];

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.2.2 id 300 laminar\n");
	/* It runs as if it had no pool; who says so depends on how far it got. */
	cr_assert(WAIT_UNTIL(says(&s.w.client, "no p", why), SETTLE_MS), "%s", why);
	stage_close(&s);
}

Test(explain, fell_back_to_tcp)
{
	static const char *const echo[] = { "socat",
					    "TCP6-LISTEN:" SERVER_PORT
					    ",ipv6only=0,fork,reuseaddr",
					    "PIPE", NULL };
	static const char *const listening[] = { "ss", "-tlnH", NULL };
	struct said said = { 0 };
	struct stage s = { 0 };

	NEED_SANDBOX();
	cr_assert_eq(world_open(&s.w, 1), 0);
	cr_assert_eq(proc_start(&s.server, &s.w.server, echo, NULL), 0);
	cr_assert(WAIT_UNTIL((said_free(&said), said = run(&s.w.server, listening),
			      strstr(said.out, ":" SERVER_PORT)),
			     3000));
	said_free(&said);
	pool_write(TWO_PATHS);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, "1");
	is_explained(&s, "fell back to TCP: ");
	stage_close(&s);
}
