// SPDX-License-Identifier: MIT
/*
 * explain.c - each explanation of mptcpinfo, from its real cause
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "eventlog.h"
#include "info.h"
#include "skip.h"
#include "until.h"

#define TWO_PATHS "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"

/* "" without an explanation. */
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

/*
 * Wait until the connection's explanation begins with @what; the table shows it, too.
 */
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

/* Wait until the explanation contains @what. */
static void is_explained_with(const struct stage *s, const char *what)
{
	char why[700];

	cr_assert(WAIT_FOR((explanation(&s->w.client, why), strstr(why, what))),
		  "'%s' without '%s'", why, what);
}

struct announced_case {
	int remote_id;
	const char *state, *reason; /* @reason: a prefix; NULL: none */
};

static bool announced_fits(const struct stage *s, const struct announced_case *c)
{
	json_t *root =
		info_json(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	const json_t *each;
	const char *reason;
	bool fits = false;
	size_t i;

	json_array_foreach((json_t *)at(root, "connections.0.announced"), i, each)
	{
		if (number_at(each, "remote_id") != c->remote_id)
			continue;
		reason = json_string_value(json_object_get(each, "reason"));
		fits = !strcmp(text_at(each, "state"), c->state) &&
		       (c->reason
				? reason && !strncmp(reason, c->reason, strlen(c->reason))
				: !reason);
	}
	json_decref(root);
	return fits;
}

static void is_announced(const struct stage *s, int remote_id, const char *state,
			 const char *reason)
{
	const struct announced_case c = { remote_id, state, reason };

	cr_assert(WAIT_FOR(announced_fits(s, &c)), "id %d is not %s, %s", remote_id,
		  state, reason ? reason : "without a reason");
}

/* A preloaded client with this pool; the server announces ids 12 and 13. */
static void scene(struct stage *s, const char *pool)
{
	pool_write(pool);
	stage_announcing(s);
	stage_preloaded(s, "1");
}

/* One connection of a preloaded client, to which ids 12 and 13 are announced. */
struct explain_case {
	const char *pool; /* default: TWO_PATHS */
	const char *server_nft, *client_ip;
	void (*before)(struct stage *s); /* the client starts */
	const char *by[4];		 /* what starts the client */
	void (*after)(struct stage *s);
	const char *why; /* the explanation's beginning */
	struct announced_case announced[2];
};

static void explain(const struct explain_case *c, bool broker)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(c->pool ? c->pool : TWO_PATHS);
	stage_announcing(&s);
	if (c->server_nft)
		cr_assert_eq(host_nft(&s.w.server, c->server_nft), 0);
	if (c->client_ip)
		cr_assert_eq(host_ip(&s.w.client, c->client_ip), 0);
	if (c->before)
		c->before(&s);
	if (broker)
		stage_broker(&s, "");
	stage_preloaded_by(&s, c->by, "1");
	if (c->after)
		c->after(&s);
	is_explained(&s, c->why);
	for (int i = 0; i < 2 && c->announced[i].state; i++)
		is_announced(&s, c->announced[i].remote_id, c->announced[i].state,
			     c->announced[i].reason);
	stage_close(&s);
}

/* Without a broker */
#define DIRECT_TEST(name, ...)                                        \
	Test(explain, name)                                           \
	{                                                             \
		static const struct explain_case c = { __VA_ARGS__ }; \
		explain(&c, false);                                   \
	}

/* Whoever manages the paths, the explanation is the same. */
#define EXPLAIN_TEST(name, ...)                                       \
	DIRECT_TEST(name, __VA_ARGS__)                                \
	Test(explain, name##_in_the_broker)                           \
	{                                                             \
		static const struct explain_case c = { __VA_ARGS__ }; \
		explain(&c, true);                                    \
	}

EXPLAIN_TEST(
	endpoint_of_the_first_path,
	.pool = TWO_PATHS "[pool \"10.0.1.0/24\"]\nendpoint = 10.0.3.2\n"
			  "[app]\nfirst = pool\n",
	.why = "pool exhausted (all matching endpoints are in use): 10.0.2.1 (id 12), "
	       "10.0.3.1 (id 13)")

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

static void kernel_manages(struct stage *s)
{
	cr_assert_eq(host_path_manager(&s->w.client, PM_KERNEL), 0);
}

DIRECT_TEST(kernel_path_manager, .before = kernel_manages, .why = "kernel path manager: ")

#define NO_RIGHTS "setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"
#define TELLS_OF_BROKER                                                             \
	"no CAP_NET_ADMIN in this network namespace, and no broker: pools have no " \
	"effect; "                                                                  \
	"type: "

DIRECT_TEST(no_rights_and_no_broker, .by = { NO_RIGHTS }, .why = TELLS_OF_BROKER)

/* A broker selects the userspace path manager: one problem, as in mptcpaddr run. */
DIRECT_TEST(no_rights_and_no_broker_with_the_kernel_path_manager, .by = { NO_RIGHTS },
	    .before = kernel_manages, .why = TELLS_OF_BROKER)

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

DIRECT_TEST(library_without_a_back_end, .by = { "env", "MPTCPADDR_BACKEND=none" },
	    .why = "no path manager: ")

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

EXPLAIN_TEST(fewer_announced_than_the_pool_has,
	     .pool = TWO_PATHS "endpoint = 10.0.1.2 laminar\n"
			       "endpoint = dead:beef:2::2 laminar\n"
			       "endpoint = 10.0.1.77 laminar\n",
	     .client_ip = "addr add 10.0.1.77/24 dev c1\n",
	     .why = "nothing more announced: each announced address is joined")

EXPLAIN_TEST(pool_exhausted, .pool = "[pool]\nendpoint = 10.0.3.2 laminar\n",
	     .why = "pool exhausted (all matching endpoints are in use): 10.0.")

EXPLAIN_TEST(endpoint_on_no_interface, .pool = TWO_PATHS "endpoint = 10.0.9.9 laminar\n",
	     .why = "unavailable (on no interface that is up): 10.0.9.9")

EXPLAIN_TEST(filter, .pool = TWO_PATHS "[accept]\ndeny = 10.0.3.0/24\n",
	     .why = "filter ([accept] refuses it): 10.0.3.1 (id 13)",
	     .announced = { { 13, "refused", "filter" }, { 12, "joined", NULL } })

EXPLAIN_TEST(private_address, .pool = TWO_PATHS "[accept]\nprivate = none\n",
	     .why = "filter (private address: [accept] private): 10.0.",
	     .announced = { { 13, "refused", "filter" }, { 12, "refused", "filter" } })

static void announce_clients_own(struct stage *s)
{
	const struct endpoint_spec own = { .addr = "10.0.1.2",
					   .flags = EP_SIGNAL,
					   .id = 21 };

	cr_assert_eq(endpoint_add(&s->w.server, &own), 0);
}

EXPLAIN_TEST(own_address, .before = announce_clients_own,
	     .why = "filter (an address of this machine): 10.0.1.2 (id 21)",
	     .announced = { { 21, "refused", "filter (an address of this machine)" },
			    { 12, "joined", NULL } })

EXPLAIN_TEST(deprecated_endpoint, .pool = TWO_PATHS "endpoint = 10.0.4.2 laminar\n",
	     .client_ip = "addr add 10.0.4.2/24 dev c3\n"
			  "addr change 10.0.4.2/24 dev c3 preferred_lft 0\n",
	     .why = "unavailable (address tentative or deprecated): 10.0.4.2")

EXPLAIN_TEST(limit_of_subflows, .pool = TWO_PATHS "[limits]\nsubflows = 1\n",
	     .why = "limit ([limits] subflows): 10.0.")

/* Routing picks the addresses; the limit is the explanation. */
Test(explain, limit_of_a_pool_without_endpoints)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, "[limits]\nsubflows = 1\n");
	is_explained(&s, "limit ([limits] subflows)");
	cr_expect_eq(subflows_on(&s.w.client), 2);
	stage_close(&s);
}

EXPLAIN_TEST(limit_of_announcements,
	     .pool = TWO_PATHS "[limits]\nadd_addr_accepted = 1\n",
	     .why = "limit ([limits] add_addr_accepted): 10.0.")

EXPLAIN_TEST(join_refused_by_the_peer_with_its_error,
	     .server_nft = "add table inet t\n"
			   "add chain inet t c { type filter hook input priority 0; }\n"
			   "add rule inet t c ip daddr 10.0.2.1 tcp dport " SERVER_PORT
			   " reject with tcp reset\n",
	     .why = "join refused by the peer: Connection refused: 10.0.2.1 (id 12)",
	     .announced = { { 13, "joined", NULL } })

EXPLAIN_TEST(join_under_way,
	     .server_nft = "add table inet t\n"
			   "add chain inet t c { type filter hook input priority 0; }\n"
			   "add rule inet t c ip daddr 10.0.2.1 drop\n",
	     .why = "being joined: 10.0.2.1 (id 12)",
	     .announced = { { 12, "waiting", "being joined" }, { 13, "joined", NULL } })

EXPLAIN_TEST(join_that_fails_on_this_machine,
	     .client_ip = "route add unreachable 10.0.2.1/32\n",
	     .why = "join failed: No route to host: 10.0.2.1 (id 12)",
	     .announced = { { 13, "joined", NULL } })

/* As some middleboxes do. */
EXPLAIN_TEST(join_whose_answer_lost_its_option,
	     .server_nft = "add table inet t\n"
			   "add chain inet t c { type filter hook output priority 0; }\n"
			   "add rule inet t c ip saddr 10.0.2.1 reset tcp option mptcp\n",
	     .why = "join failed: no error reported: 10.0.2.1 (id 12)")

Test(explain, path_that_the_peer_prohibits)
{
	static const char *const prohibit = "tests/prohibit.py";
	char path[PATH_MAX];
	const char *const argv[] = { "python3",	  built(prohibit, path, PATH_MAX),
				     "s2",	  "10.0.2.1",
				     SERVER_PORT, NULL };
	struct proc p, events;
	struct stage s;

	NEED_SANDBOX();
	pool_write(TWO_PATHS);
	stage_announcing(&s);
	cr_assert_eq(proc_start(&p, &s.w.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&p, "ready")));
	start_info(&events, &s.w.client, (const char *[]){ "-e", "--json", NULL });
	stage_preloaded(&s, "1");
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0, "%s", proc_errors(&p));
	is_explained(&s, "join refused by the peer: administratively prohibited: "
			 "10.0.2.1 (id 12)");
	is_announced(&s, 12, "refused", "join refused by the peer");
	cr_assert(WAIT_FOR(proc_said(&events, "\"reason\":\"prohibited\"")));
	proc_end(&events);
	is_announced(&s, 13, "joined", NULL);
	proc_end(&p);
	stage_close(&s);
}

/* It resets the join once it is complete here; Linux reports no error. */
static void limit_server(struct stage *s)
{
	cr_assert_eq(limits_set(&s->w.server, 1, 8), 0);
}

EXPLAIN_TEST(path_beyond_the_limit_of_the_peer, .before = limit_server,
	     .why = "its subflow was closed: 10.0.")

static void reset_path(struct stage *s)
{
	static const char *const argv[] = { "ss", "-K", "dst", "10.0.2.2", NULL };

	cr_assert(WAIT_FOR(subflows_on(&s->w.client) == 3));
	cr_assert_eq(proc_run(&s->w.server, NULL, argv), 0);
}

EXPLAIN_TEST(closed_path_that_is_not_retried, .pool = TWO_PATHS "[retry]\ntries = 0\n",
	     .after = reset_path, .why = "its subflow was closed: 10.0.")

/* Without laminar endpoints routing picks the address, once per announcement. */
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

EXPLAIN_TEST(endpoints_that_are_all_down,
	     .client_ip = "link set c2 down\nlink set c3 down\n",
	     .why = "all remaining endpoints are unavailable: 10.0.2.1 (id 12), 10.0.3.1 "
		    "(id 13); unavailable (on no interface that is up): 10.0.2.2, "
		    "10.0.3.2")

EXPLAIN_TEST(pool_exhausted_but_for_what_is_down, .client_ip = "link set c3 down\n",
	     .why = "pool exhausted (all matching endpoints are in use): 10.0.3.1 "
		    "(id 13); unavailable (on no interface that is up): 10.0.3.2")

static void announce_v6(struct stage *s)
{
	const struct endpoint_spec v6 = { .addr = "dead:beef:2::1",
					  .flags = EP_SIGNAL,
					  .id = 22 };

	cr_assert_eq(endpoint_add(&s->w.server, &v6), 0);
}

EXPLAIN_TEST(announced_address_of_another_family, .before = announce_v6,
	     .why = "no endpoint of its address family: dead:beef:2::1 (id 22)")

EXPLAIN_TEST(pool_of_another_family,
	     .pool = "[pool]\nendpoint = dead:beef:2::2 laminar\n",
	     .why = "no endpoint of the pool fits this connection")

/* Each cause names four addresses and counts the others. */
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

static bool is_listed(const struct stage *s, const char *words)
{
	struct said said =
		info(&s->w.client, (const char *[]){ "-p", "tcpclient", NULL });
	bool listed = strstr(said.out, words);

	said_free(&said);
	return listed;
}

Test(explain, endpoint_in_use_whose_link_goes_down)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS);
	cr_assert(WAIT_FOR(is_listed(&s, "endpoints  10.0.2.2 used, 10.0.3.2 used")));
	cr_assert_eq(host_ip(&s.w.client, "link set c3 down\n"), 0);
	cr_assert(WAIT_FOR(is_listed(&s, "endpoints  10.0.2.2 used, 10.0.3.2 down")));
	stage_close(&s);
}

Test(explain, manager_that_does_not_answer)
{
	struct stage s;

	NEED_SANDBOX();
	scene(&s, TWO_PATHS);
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	cr_assert_eq(kill(s.client.pid, SIGSTOP), 0);
	is_explained(&s, "unknown: a manager that may have it did not answer");
	cr_assert_eq(kill(s.client.pid, SIGCONT), 0);
	stage_close(&s);
}

EXPLAIN_TEST(excluded_destination, .pool = TWO_PATHS "[app]\nexclude = 10.0.1.0/24\n",
	     .why = "no pool for this destination (excluded)",
	     .announced = { { 12, "waiting", "no pool for this destination" } })

Test(explain, pool_file_with_an_error)
{
	struct stage s;
	char why[700];

	NEED_SANDBOX();
	scene(&s, "[pool]\nendpoint = 10.0.2.2 id 300 laminar\n");
	/* It runs without a pool; the wording depends on the stage it reached. */
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
