// SPDX-License-Identifier: MIT
/*
 * first.c - first paths of ordinary users: the broker knows which uplinks answer
 *
 * As in tests/preload/first.c, the first link swallows everything.
 */
#include "broker.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER "10.9.9.9"
#define IN_MS  500
#define TRIES  4

static const char *const announced[] = { NULL };

static void dig_hole(struct lab *lab)
{
	cr_assert_eq(host_nft(&lab->world.server,
			      "table inet hole { chain in { type filter hook input "
			      "priority 0; iif s1 meta l4proto tcp drop; }; }"),
		     0);
}

/* With a broker that knows nothing yet. */
static void set_mode(struct lab *lab, const char *mode)
{
	char pool[256];

	snprintf(pool, sizeof(pool),
		 "[pool]\nendpoint = dev c1\nendpoint = 10.0.2.2\nendpoint = dev c3\n"
		 "[app]\nfirst = %s\n",
		 mode);
	put_text(lab->pool, pool);
	if (lab->broker.pid)
		lab_broker_end(lab);
	lab_broker(lab, "[broker]\nlog = debug\n");
}

static void hole_open(struct lab *lab, const char *mode)
{
	lab_open(lab, announced);
	cr_assert_eq(host_ip(&lab->world.server, "addr add " SERVER "/32 dev lo\n"), 0);
	dig_hole(lab);
	set_mode(lab, mode);
}

/* Run a program with the broker. Return: its first line, "RESULT ADDRESS MS". */
static char *run(struct lab *lab, uid_t uid, const char *const argv[], int *ret_ms)
{
	struct proc p;
	char *out, *end;

	lab_start(lab, &p, uid, lab->pool, argv);
	proc_eof(&p);
	proc_wait(&p, EFFECT_MS);
	out = proc_output(&p);
	proc_end(&p);
	out[strcspn(out, "\n")] = '\0';
	end = strrchr(out, ' ');
	*ret_ms = end ? atoi(end) : -1;
	if (end)
		*end = '\0';
	return out;
}

static int leaves(struct lab *lab, uid_t uid, const char *how, const char *says)
{
	const char *const argv[] = { "env",
				     "MPTCPADDR_BACKEND=broker",
				     "@tests/programs/leaves",
				     SERVER,
				     LAB_PORT,
				     "1",
				     how,
				     "1500",
				     NULL };
	char *said;
	int ms;

	said = run(lab, uid, argv, &ms);
	cr_expect_str_eq(said, says, "%s: %s", how, said);
	free(said);
	return ms;
}

static void hole_close(struct lab *lab)
{
	lab_broker_end(lab);
	lab_close(lab);
}

Test(first, a_user_s_race_is_remembered_for_all_of_the_user_s_programs)
{
	struct lab lab;
	int ms, tries = 0;

	NEED_USERS();
	hole_open(&lab, "race");
	do {
		set_mode(&lab, "race");
		ms = leaves(&lab, ALICE, "restart", "ok 10.0.2.2");
		cr_expect_geq(ms, 290);
		leaves(&lab, ALICE, "nonblock", "ok 10.0.2.2");
		cr_expect_lt(leaves(&lab, ALICE, "restart", "ok 10.0.2.2"), 290);
		/* Nobody can make another user's paths leave elsewhere. */
		leaves(&lab, BOB, "nonblock", "ETIMEDOUT 10.0.1.2");
		leaves(&lab, BOB, "nonblock", "ok 10.0.2.2");
	} while (++tries < TRIES && ms >= IN_MS);
	cr_expect_lt(ms, IN_MS);
	hole_close(&lab);
}

Test(first, a_user_s_curl_succeeds_on_its_second_try)
{
	static const char *const modes[] = { "pool", "race" };
	const char *const curl[] = { "env",
				     "MPTCPADDR_BACKEND=broker",
				     "curl",
				     "-s",
				     "-o",
				     "/dev/null",
				     "-w",
				     "%{http_code} %{local_ip} 0\n",
				     "--connect-timeout",
				     "1",
				     "http://10.9.9.9:8081/file",
				     NULL };
	struct proc nginx;
	struct lab lab;
	char *said;
	int ms;

	NEED_USERS();
	hole_open(&lab, "pool");
	cr_assert_eq(host_nft(&lab.world.server, "flush ruleset"), 0);
	lab_web(&lab, &nginx);
	dig_hole(&lab);
	for (int i = 0; i < 2; i++) {
		set_mode(&lab, modes[i]);
		said = run(&lab, ALICE, curl, &ms);
		cr_expect_str_eq(said, "000 ", "%s", said);
		free(said);
		said = run(&lab, ALICE, curl, &ms);
		cr_expect_str_eq(said, "200 10.0.2.2", "%s", said);
		free(said);
	}
	proc_end(&nginx);
	hole_close(&lab);
}

Test(first, a_path_that_is_established_ends_the_avoidance)
{
	const char *const argv[] = { "@tests/apps/tcpclient", SERVER, LAB_PORT, NULL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	hole_open(&lab, "pool");
	leaves(&lab, ALICE, "nonblock", "ETIMEDOUT 10.0.1.2");
	leaves(&lab, ALICE, "nonblock", "ok 10.0.2.2");
	cr_assert_eq(host_nft(&lab.world.server, "flush ruleset"), 0);
	leaves(&lab, ALICE, "nonblock", "ok 10.0.2.2");
	/* Another path from there, which the server announces. */
	cr_assert_eq(endpoint_add(&lab.world.server,
				  &(struct endpoint_spec){ .addr = "10.0.3.1",
							   .flags = EP_SIGNAL }),
		     0);
	lab_start(&lab, &client, ALICE, lab.pool, argv);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	proc_end(&client);
	leaves(&lab, ALICE, "nonblock", "ok 10.0.1.2");
	hole_close(&lab);
}

Test(first, without_an_answer_of_the_broker_routing_decides)
{
	struct lab lab;

	NEED_USERS();
	hole_open(&lab, "pool");
	lab_broker_end(&lab);
	cr_assert_eq(host_nft(&lab.world.server, "flush ruleset"), 0);
	leaves(&lab, ALICE, "nonblock", "ok 10.0.1.2");
	lab_close(&lab);
}
