// SPDX-License-Identifier: MIT
/*
 * crowd.c - users who hold as much as they can: others still have room
 */
#include "hostile.h"

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CROWD	  8  /* users, */
#define PROGRAMS  64 /* with so many programs each, and a connection of each */
#define FIRST_UID 1001

struct crowd {
	int ready; /* a pipe to write to when all is there */
	unsigned int programs;
	int silent; /* connections to each of their control sockets */
};

/* Return: a descriptor, or negative. */
static int dial_control(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	const socklen_t len =
		offsetof(struct sockaddr_un, sun_path) + 1 +
		snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", name);

	return connect(fd, (struct sockaddr *)&addr, len) < 0 ? -1 : fd;
}

static void dial_controls(int times)
{
	char line[256], *name;
	FILE *f = fopen("/proc/net/unix", "re");

	while (f && fgets(line, sizeof(line), f)) {
		name = strstr(line, "@mptcpaddr/broker.");
		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; name && i < times; i++)
			dial_control(name + 1);
	}
	if (f)
		fclose(f);
}

static int be_crowd(void *arg)
{
	static char record[BROKER_RECORD_MAX];
	const struct crowd *crowd = arg;
	const char *pool = "[pool]\nendpoint = dev nothing0\n";
	char name[32];
	uint32_t token;

	for (unsigned int i = 0; i < crowd->programs; i++) {
		snprintf(name, sizeof(name), "program-%u", i);
		if (native_connection(&token) < 0 ||
		    record_send(record, record_fill(record, token, name, "/pool", pool)) <
			    0)
			return 1;
	}
	if (crowd->silent && !WAIT_FOR(broker_count().registrations >= crowd->programs))
		return 1;
	dial_controls(crowd->silent);
	if (write(crowd->ready, "x", 1) != 1)
		return 1;
	pause();
	return 0;
}

static void crowd_start(pid_t pids[], int users, unsigned int programs, int silent)
{
	struct crowd crowd = { .programs = programs, .silent = silent };
	int fds[2];
	char byte;

	cr_assert_eq(pipe(fds), 0);
	crowd.ready = fds[1];
	for (int i = 0; i < users; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(as_user(FIRST_UID + i, be_crowd, &crowd));
	}
	close(fds[1]);
	for (int i = 0; i < users; i++)
		cr_assert_eq(read(fds[0], &byte, 1), 1, "user %d", FIRST_UID + i);
	close(fds[0]);
}

static void crowd_end(const pid_t pids[], int users)
{
	for (int i = 0; i < users; i++) {
		kill(-pids[i], SIGKILL);
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static const char *const doctor[] = { "@mptcpaddr", "doctor", NULL };

/* In that of each user, and in all. */
Test(crowd, broker_full_of_other_users_programs_serves_a_ninth_user_and_root)
{
	static const uid_t uids[] = { 0, ALICE, 1009 };
	struct took without[3];
	pid_t pids[CROWD];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	for (int i = 0; i < 3; i++)
		without[i] = served(&lab, uids[i]);
	lab_broker_end(&lab); /* whose table has idle programs */
	lab_broker(&lab, "");
	crowd_start(pids, CROWD, PROGRAMS, 0);
	cr_assert(WAIT_FOR(broker_count().registrations >= CROWD * PROGRAMS));
	tool_says(&lab, 0, doctor, "user 1001 has 64 programs");
	tool_says(&lab, 1009, doctor, "user 1008 has 64 programs");
	for (int i = 0; i < 3; i++)
		served_as_fast(&lab, uids[i], "8 users with 64 programs", without[i]);
	broker_logs(&lab, "has the most programs");
	crowd_end(pids, CROWD);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static int64_t tool_takes(struct lab *lab, uid_t uid, const char *const tool[],
			  const char *text)
{
	int64_t best = INT64_MAX, took;

	for (int i = 0; i < RUNS; i++) {
		took = -now_ms();
		tool_says(lab, uid, tool, text);
		took += now_ms();
		best = took < best ? took : best;
	}
	return best;
}

/* Other users' silence does not hide a program from its user, or from root, who learns
 * whose it is. */
Test(crowd, silent_control_connections_blind_nobody)
{
	const char *const edit[] = { "@mptcpaddr", "endpoint", "--program", "tcpclient",
				     "del",	   "10.0.3.2", NULL };
	pid_t pids[CROWD];
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	crowd_start(pids, CROWD, PROGRAMS, 7);
	lab_start(&lab, &client, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	tool_says(&lab, ALICE, info, "\"tcpclient\"");
	tool_says(&lab, 0, info, "\"tcpclient\"");
	broker_logs(&lab, "has 16 connected tools");
	tool_says(&lab, 0, doctor, " has 64 programs");
	tool_says(&lab, ALICE, edit, "");
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1), "not edited");
	proc_end(&client);
	crowd_end(pids, CROWD);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(crowd, silent_control_connections_are_reported)
{
	pid_t pid;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	crowd_start(&pid, 1, 4, 7);
	broker_logs(&lab, "user 1001 has 16 connected tools");
	tool_says(&lab, BOB, doctor, "user 1001 has 4 programs and 16 tools");
	tool_says(&lab, 0, doctor, "user 1001 has 4 programs and 16 tools");
	crowd_end(&pid, 1);
	lab_broker_end(&lab);
	lab_close(&lab);
}

#define TOOL_DELAY_MS 1000 /* 300 for the user, and the time to connect to each */

/* Bound names of managers do not slow the tools down, and are reported once. */
Test(crowd, held_names_of_managers_are_passed_over)
{
	const char *const show[] = { "@mptcpaddr", "endpoint", "--program",
				     "tcpclient",  "show",     NULL };
	static const uid_t uids[] = { 0, BOB };
	int64_t without[2][2], with;
	struct proc client, full, silent;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	lab_start(&lab, &client, BOB, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	for (int i = 0; i < 2; i++) {
		without[i][0] = tool_takes(&lab, uids[i], info, "\"tcpclient\"");
		without[i][1] = tool_takes(&lab, uids[i], show, "10.0.2.2");
	}
	holder_start(&lab, &full, ALICE, "-fn", "300", "mptcpaddr/7%");
	holder_start(&lab, &silent, ALICE, "-n", "300", "mptcpaddr/8%");
	for (int i = 0; i < 2; i++) {
		with = tool_takes(&lab, uids[i], info, "\"tcpclient\"");
		cr_log_info("mptcpinfo of %u: %d ms, without %d", uids[i], (int)with,
			    (int)without[i][0]);
		cr_expect_lt(with - without[i][0], TOOL_DELAY_MS, "%d ms", (int)with);
		with = tool_takes(&lab, uids[i], show, "10.0.2.2");
		cr_log_info("endpoint of %u: %d ms, without %d", uids[i], (int)with,
			    (int)without[i][1]);
		cr_expect_lt(with - without[i][1], TOOL_DELAY_MS, "%d ms", (int)with);
	}
	tool_says(&lab, 0, info, "user 1000: ");
	tool_says(&lab, 0, doctor, "user 1000 holds ");
	tool_says(&lab, BOB, info, "managers of other users");
	proc_end(&full);
	proc_end(&silent);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Names of the broker's own control sockets, bound before it needs them. */
Test(crowd, held_names_of_the_brokers_control_sockets)
{
	struct proc client, holder;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	holder_start(&lab, &holder, ALICE, "-n", "100", "mptcpaddr/broker.%");
	lab_broker(&lab, "");
	lab_start(&lab, &client, BOB, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	tool_says(&lab, BOB, info, "\"manager\":\"broker\"");
	tool_says(&lab, 0, info, "\"manager\":\"broker\"");
	proc_end(&client);
	proc_end(&holder);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static bool is_listed(struct lab *lab, const char *program)
{
	struct proc p;
	bool listed;

	lab_start(lab, &p, 0, NULL, info);
	proc_wait(&p, EFFECT_MS);
	listed = proc_said(&p, program);
	proc_end(&p);
	return listed;
}

/* A program that has ended is neither listed nor restored. */
Test(crowd, ended_programs_are_dropped)
{
	struct proc ended, lives;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	lab_start(&lab, &ended, BOB, lab.pool, tcpclient_argv);
	lab_start(&lab, &lives, ALICE, lab.pool,
		  (const char *[]){ "@tests/programs/timed", "10.0.1.1", LAB_PORT, "1",
				    NULL });
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 4));
	cr_expect(is_listed(&lab, "\"tcpclient\""));
	proc_eof(&ended);
	proc_wait(&ended, EFFECT_MS);
	proc_end(&ended);
	cr_expect(WAIT_FOR(!is_listed(&lab, "\"tcpclient\"")), "it is still listed");
	cr_expect(is_listed(&lab, "\"timed\""));
	proc_end(&lab.broker); /* SIGKILL */
	lab_broker(&lab, "");
	cr_expect(!is_listed(&lab, "\"tcpclient\""), "it is restored");
	cr_expect(is_listed(&lab, "\"timed\""));
	/* Again, with another client of the same name and pool. */
	lab_start(&lab, &ended, BOB, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 4));
	cr_expect(is_listed(&lab, "\"tcpclient\""));
	proc_end(&ended);
	cr_expect(WAIT_FOR(!is_listed(&lab, "\"tcpclient\"")));
	lab_start(&lab, &ended, BOB, lab.pool,
		  tcpclient_argv); /* again, before it is forgotten */
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 4));
	cr_expect(is_listed(&lab, "\"tcpclient\""));
	proc_end(&lab.broker);
	lab_broker(&lab, "");
	cr_expect(is_listed(&lab, "\"tcpclient\""), "not restored");
	proc_end(&ended);
	proc_end(&lives);
	lab_broker_end(&lab);
	lab_close(&lab);
}
