// SPDX-License-Identifier: MIT
/*
 * blackhole.c - the kernel has switched MPTCP off because of one uplink
 */
#include "broker.h"
#include "counter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* c1 drops what has the MPTCP option; the first repetition of a SYN has it no more. */
#define DROP_C1                                 \
	"table inet t {\nchain c {\n"           \
	"type filter hook output priority 0;\n" \
	"oifname \"c1\" tcp flags & syn == syn tcp option 30 exists drop\n}\n}\n"

static const char *const second[] = { "10.0.2.1", NULL };

static bool said_error(const struct proc *p, const char *words)
{
	char *text = proc_errors(p);
	const bool said = strstr(text, words);

	free(text);
	return said;
}

static bool broker_said(struct lab *lab, const char *words)
{
	return said_error(&lab->broker, words);
}

static int64_t client_counter(struct lab *lab, const char *name)
{
	return counter(&lab->world.client, name);
}

/*
 * Bring the state about by one dropped SYN, of a program of Alice's. @how: "-b" for a
 * connect() that does not wait, or "-N1": as ever
 */
static void switch_off(struct lab *lab, const char *config, const char *how,
		       struct proc *client)
{
	lab_open(lab, second);
	put_text(lab->pool, POOL_23);
	if (config)
		lab_broker(lab, config);
	if (host_sysctl(&lab->world.client, "net/mptcp/syn_retrans_before_tcp_fallback",
			"1") < 0)
		SKIP("this kernel does not switch MPTCP off");
	cr_assert_eq(host_nft(&lab->world.client, DROP_C1), 0);
	lab_start(lab, client, config ? ALICE : 0, lab->pool,
		  ARGS("env", "MPTCPADDR_LOG=warning", "@tests/apps/tcpclient", how,
		       "10.0.1.1", LAB_PORT));
	cr_assert(WAIT_FOR(proc_said(client, "connected 1\n")));
	cr_assert_eq(client_counter(lab, "Blackhole"), 1);
}

static void close_all(struct lab *lab, struct proc *client)
{
	proc_eof(client);
	cr_expect_eq(proc_wait(client, EFFECT_MS), 0);
	proc_end(client);
	if (lab->broker.pid)
		lab_broker_end(lab);
	lab_close(lab);
}

static void logs(const struct proc *client, const char *words)
{
	char *text = proc_errors(client);

	cr_expect(strstr(text, words), "no \"%s\" in: %s", words, text);
	free(text);
}

static void says(struct lab *lab, const char *const argv[], const char *words)
{
	char *text, *errors;
	struct proc p;

	lab_start(lab, &p, ALICE, NULL, argv);
	cr_expect_geq(proc_wait(&p, EFFECT_MS), 0);
	text = proc_output(&p);
	errors = proc_errors(&p);
	cr_expect(strstr(text, words) || strstr(errors, words), "%s: no \"%s\" in: %s%s",
		  argv[0], words, text, errors);
	free(text);
	free(errors);
	proc_end(&p);
}

#define SINCE  "MPTCP is switched off by the kernel since 20"
#define REMEDY "sysctl -w net.mptcp.blackhole_timeout=3600"

Test(blackhole, is_said_by_every_tool_and_ended_by_nobody)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, "", "-N1", &client);
	cr_assert(WAIT_FOR(broker_said(&lab, "has switched MPTCP off")));
	cr_expect(broker_said(&lab, REMEDY));
	logs(&client, "switched MPTCP off for at least 3600 s");
	logs(&client, REMEDY);
	says(&lab, ARGS("@mptcpinfo"), SINCE);
	says(&lab, ARGS("@mptcpinfo"), REMEDY);
	says(&lab, ARGS("@mptcpinfo"),
	     "fell back to TCP: the kernel has switched MPTCP off");
	says(&lab, ARGS("@mptcpinfo", "--json"),
	     "\"blackhole\":{\"timeout\":3600,\"since\":\"20");
	says(&lab, ARGS("@mptcpaddr", "doctor"), SINCE);
	says(&lab, ARGS("@mptcpaddr", "doctor"), REMEDY);
	says(&lab, ARGS("@mptcpaddr", "run", "true"), SINCE);
	says(&lab, ARGS("@mptcpaddr", "run", "true"), REMEDY);
	close_all(&lab, &client);
}

Test(blackhole, is_ended_by_the_broker_which_names_the_uplink)
{
	struct proc client, next;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, "[broker]\nrearm = yes\n", "-N1", &client);
	cr_assert(WAIT_FOR(broker_said(&lab, "switched MPTCP on again")));
	lab_start(&lab, &next, ALICE, lab.pool,
		  ARGS("@tests/apps/tcpclient", "10.0.3.1", LAB_PORT));
	cr_assert(WAIT_FOR(proc_said(&next, "connected 1\n")));
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_expect(WAIT_FOR(broker_said(&lab, "uplink c1 drops MPTCP: 10.0.1.1:8080")));
	cr_expect(!broker_said(&lab, "uplink c2") && !broker_said(&lab, "uplink c3"));
	cr_expect_eq(client_counter(&lab, "Blackhole"), 1, "a probe did it again");
	says(&lab, ARGS("@mptcpinfo"), "  broker  10.0.3.2:");
	proc_eof(&next);
	cr_expect_eq(proc_wait(&next, EFFECT_MS), 0);
	proc_end(&next);
	close_all(&lab, &client);
}

Test(blackhole, uplink_at_fault_gets_no_first_paths)
{
	struct proc client, next;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, "[broker]\nrearm = yes\n", "-N1", &client);
	cr_assert(WAIT_FOR(broker_said(&lab, "uplink c1 drops MPTCP")));
	put_text(lab.pool, "[app]\nfirst = pool\n"
			   "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.3.2\n");
	lab_start(&lab, &next, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&next, "connected 1\n")));
	says(&lab, ARGS("@mptcpinfo"), "  broker  10.0.3.2:");
	cr_expect_eq(client_counter(&lab, "Blackhole"), 1);
	proc_eof(&next);
	cr_expect_eq(proc_wait(&next, EFFECT_MS), 0);
	proc_end(&next);
	close_all(&lab, &client);
}

Test(blackhole, is_said_without_a_broker)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, NULL, "-N1", &client);
	logs(&client, REMEDY);
	says(&lab, ARGS("@mptcpaddr", "doctor"),
	     "MPTCP is switched off by the kernel, for at most 3600 s");
	says(&lab, ARGS("@mptcpinfo"), REMEDY);
	cr_assert_eq(
		host_sysctl(&lab.world.client, "net/mptcp/blackhole_timeout", "3600"), 0);
	says(&lab, ARGS("@mptcpinfo"), "1 MPTCP connection, path manager userspace\n\n");
	close_all(&lab, &client);
}

/* The state begins after connect() has returned: only later looks find it. */
Test(blackhole, of_a_connect_that_does_not_wait_is_ended_by_the_broker)
{
	struct proc client, next;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, "[broker]\nrearm = yes\n", "-b", &client);
	cr_assert(WAIT_FOR(broker_said(&lab, "uplink c1 drops MPTCP: 10.0.1.1:8080")));
	lab_start(&lab, &next, ALICE, lab.pool,
		  ARGS("@tests/apps/tcpclient", "-b", "10.0.3.1", LAB_PORT));
	cr_assert(WAIT_FOR(proc_said(&next, "connected 1\n")));
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	cr_expect_eq(client_counter(&lab, "Blackhole"), 1, "a probe did it again");
	proc_eof(&next);
	cr_expect_eq(proc_wait(&next, EFFECT_MS), 0);
	proc_end(&next);
	close_all(&lab, &client);
}

Test(blackhole, of_a_connect_that_does_not_wait_is_said_without_a_broker)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	switch_off(&lab, NULL, "-b", &client);
	cr_expect(WAIT_FOR(said_error(&client, REMEDY)));
	logs(&client, REMEDY);
	says(&lab, ARGS("@mptcpinfo"), REMEDY);
	close_all(&lab, &client);
}
