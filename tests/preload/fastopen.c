// SPDX-License-Identifier: MIT
/*
 * fastopen.c - TCP Fast Open over a link that delays the third ACK
 *
 * The server answers data in a SYN before that ACK. Over MPTCP such an answer is lost.
 */
#include "preload.h"

#include <stdlib.h>
#include <string.h>

#include "shim.h"

#define CONNECTIONS 5

/* After a SYN, the next packet of @host waits. */
static void delay_second_packet(const struct host *host, const char *dev)
{
	const char *const argv[] = { "tc",   "qdisc", "add",   "dev",	 dev,
				     "root", "tbf",   "rate",  "16kbit", "burst",
				     "200",  "limit", "10000", NULL };

	cr_assert_eq(proc_run(host, NULL, argv), 0);
}

static void all_are_answered(char *text, const char *how)
{
	char *line = text;

	for (int i = 0; i < CONNECTIONS; i++) {
		cr_assert(line && !strncmp(line, "ok ", 3), "%s: %s", how, text);
		line = strchr(line, '\n');
		line += !!line;
	}
	free(text);
}

static void answers(struct lab *lab, enum lab_mode mode, const char *how,
		    const char *more)
{
	const struct program g = { .argv = { "leaves", LAB_ADDRESS, LAB_PORT, "5", how,
					     more } };

	all_are_answered(program_run(lab, &g, mode), how);
}

/* The first connection gets a cookie, the next ones could send data in the SYN. */
Test(fastopen, answers_come_over_any_link, TIMEOUT)
{
	static const enum lab_mode modes[] = { NATIVE, NO_POOL, POOL };
	struct lab lab;

	lab_open(&lab);
	delay_second_packet(&lab.world.client, "c1");
	for (int i = 0; i < 3; i++) {
		answers(&lab, modes[i], "fastopen", NULL);
		answers(&lab, modes[i], "fastopen", "sendmsg");
		answers(&lab, modes[i], "deferred", NULL);
	}
	lab_close(&lab);
}

/* The server has MPTCP through the library, the client natively. */
Test(fastopen, servers_answer_over_any_link, TIMEOUT)
{
	char path[PATH_MAX], leaves[PATH_MAX];
	const char *const serve[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				      "-fp", "8081", NULL };
	struct shim_env shim;
	struct proc server, client;
	struct lab lab;

	lab_open(&lab);
	delay_second_packet(&lab.world.client, "c1");
	cr_assert_eq(
		proc_start(&server, &lab.world.server, serve, shim_env(&shim, lab.pool)),
		0);
	cr_assert(WAIT_FOR(proc_said(&server, "listening")));
	for (int i = 0; i < 2; i++) {
		const char *const argv[] = { built("tests/programs/leaves", leaves,
						   sizeof(leaves)),
					     LAB_ADDRESS,
					     "8081",
					     "5",
					     "fastopen",
					     i ? "mptcp" : NULL,
					     NULL };

		cr_assert_eq(proc_start(&client, &lab.world.client, argv, NULL), 0);
		cr_expect_eq(proc_wait(&client, 20000 * patience()), 0);
		all_are_answered(proc_output(&client), i ? "MPTCP" : "TCP");
		proc_end(&client);
	}
	proc_end(&server);
	lab_close(&lab);
}
