// SPDX-License-Identifier: MIT
/*
 * tools.c - mptcpinfo and mptcpaddr with pools that the broker has
 */
#include "broker.h"
#include "counter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subflow.h"
#include "until.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *const second[] = { "10.0.2.1", NULL };
static const char *const two[] = { "10.0.2.1", "10.0.3.1", NULL };

/* The output of @argv, run by @uid, on both streams; it exits with @status. */
static char *told_to(struct lab *lab, uid_t uid, int status, const char *const argv[])
{
	struct proc p;
	char *text, *errors;
	int r;

	lab_start(lab, &p, uid, NULL, argv);
	r = proc_wait(&p, EFFECT_MS);
	text = proc_output(&p);
	errors = proc_errors(&p);
	cr_expect_eq(r, status, "%s ended with %d: %s", argv[0], r, errors);
	text = realloc(text, strlen(text) + strlen(errors) + 1);
	cr_assert(text);
	strcat(text, errors);
	free(errors);
	proc_end(&p);
	return text;
}

static void says(struct lab *lab, uid_t uid, int status, const char *const argv[],
		 const char *words)
{
	char *text = told_to(lab, uid, status, argv);

	cr_expect(strstr(text, words), "no \"%s\" in: %s", words, text);
	cr_expect(!strstr(text, "mptcpaddrd["), "%s", text);
	free(text);
}

Test(tools, mptcpinfo_names_the_program_and_not_the_broker)
{
	char pid[32], *text, *conns;
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, second);
	put_text(lab.pool, POOL_23);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	snprintf(pid, sizeof(pid), "\"pid\":%d,", client.pid);
	for (int uid = 0; uid <= ALICE; uid += ALICE) {
		text = told_to(&lab, uid, 0, ARGS("@mptcpinfo", "--json"));
		conns = strstr(text, "\"connections\":[");
		cr_assert(conns, "%s", text);
		cr_expect(strstr(conns, pid), "to %d: no %s in %s", uid, pid, conns);
		cr_expect(strstr(conns, "\"program\":\"tcpclient\""), "to %d: %s", uid,
			  conns);
		cr_expect(strstr(conns, "\"manager\":\"broker\""), "to %d: %s", uid,
			  conns);
		free(text);
	}
	proc_eof(&client);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

#define ENDPOINT(...) ARGS("@mptcpaddr", "endpoint", __VA_ARGS__)

/* All programs of one user and name share a pool. */
Test(tools, mptcpinfo_names_options_that_MPTCP_refused)
{
	const char *const argv[] = { "socat", "-",
				     "TCP:10.0.1.1:" LAB_PORT ",oobinline,keepalive",
				     NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, second);
	put_text(lab.pool, POOL_23);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, argv);
	cr_assert_eq(proc_tell(&client, "hello\n"), 0);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	says(&lab, ALICE, 0, ARGS("@mptcpinfo"), "SO_OOBINLINE: ignored");
	says(&lab, ALICE, 0, ARGS("@mptcpinfo", "--json"),
	     "\"options_refused\":\"SO_OOBINLINE: ignored\"");
	proc_end(&client);
	lab_close(&lab);
}

Test(tools, users_edit_their_pool_in_the_broker)
{
	struct proc client;
	char pid[16];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	put_text(lab.pool, POOL_23);
	lab_broker(&lab, "");
	says(&lab, ALICE, 1, ENDPOINT("show"), "no program has a manager");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	snprintf(pid, sizeof(pid), "%d", client.pid);
	says(&lab, ALICE, 0, ENDPOINT("show"), "# tcpclient of user 1000, ");
	says(&lab, ALICE, 0, ENDPOINT("show", "--pid", pid), "endpoint = 10.0.3.2 ");
	says(&lab, ALICE, 0, ARGS("@mptcpaddr", "limits"), "# tcpclient of user 1000, ");
	says(&lab, BOB, 1, ENDPOINT("del", "10.0.3.2"), "belong to other users");
	says(&lab, ALICE, 1, ENDPOINT("del", "10.0.9.9", "--pid", pid),
	     "tcpclient of user 1000: no such endpoint");
	says(&lab, ALICE, 0, ENDPOINT("del", "10.0.3.2", "--pid", pid), "");
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	says(&lab, ALICE, 0, ENDPOINT("add", "10.0.3.2"), "");
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
	proc_eof(&client);
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The join to 10.0.2.1, without an answer, leaves from the address that routing picks. */
Test(tools, address_of_routing_takes_no_endpoints_id)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, second);
	put_text(lab.pool, "[pool]\n");
	cr_assert_eq(
		host_nft(&lab.world.server,
			 "table inet t { chain in { type filter hook input priority 0;"
			 " ip daddr 10.0.2.1 drop; }; }"),
		0);
	lab_broker(&lab, "");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(counter(&lab.world.client, "MPJoinSynTx") == 1));
	says(&lab, ALICE, 0, ENDPOINT("add", "10.0.3.2", "id", "1", "subflow"), "");
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1), "%s",
		  pairs_text(&lab.world.client, 0, false));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(tools, mptcpinfo_explains_a_missing_pool_in_the_broker)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	put_text(lab.pool, POOL_23);
	lab_broker(&lab, "[broker]\nlog = debug\n[users]\npools = no\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	says(&lab, ALICE, 0, ARGS("@mptcpinfo", "-p", "tcpclient"),
	     "why        no pool: mptcpaddrd has none for it");
	cr_expect(WAIT_FOR(strstr(proc_errors(&lab.broker),
				  "user 1000: tcpclient: no pool in /etc/mptcpaddr/")));
	cr_expect_eq(joined_count(&lab.world.client), 0);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(tools, mptcpinfo_names_endpoints_that_the_policy_refuses)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	put_text(lab.pool, POOL_23);
	lab_broker(&lab, "[users]\naddresses = 10.0.2.0/24\n");
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 1));
	says(&lab, ALICE, 0, ARGS("@mptcpinfo", "-p", "tcpclient"),
	     "pool.conf:3: the broker does not allow 10.0.3.2, see addresses and devices "
	     "in broker.conf\n");
	cr_expect_eq(joined_count(&lab.world.client), 1);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}
