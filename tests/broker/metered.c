// SPDX-License-Identifier: MIT
/*
 * metered.c - [policy] quota in the broker: of all programs of one user
 */
#include "metered.h"
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define POOL   "[pool]\nendpoint = 10.0.1.2 subflow metered\n[policy]\nquota = 1M/day\n"
#define QUOTA  1000000
#define ALICES "/var/lib/mptcpaddr/metered.1000"

/* Everything comes back. */
static const char *const echo_argv[] = { "/usr/bin/python3", "-c",
					 "import socket\n"
					 "c = socket.socket()\n"
					 "c.connect(('10.0.1.1', " LAB_PORT "))\n"
					 "while True:\n"
					 " c.sendall(b'x' * 10000)\n"
					 " left = 10000\n"
					 " while left:\n"
					 "  left -= len(c.recv(left))\n"
					 " print('.', flush=True)\n",
					 NULL };

/* Paths from 10.0.1.2 that carry data */
static unsigned int paths(const struct lab *lab)
{
	struct subflows s = { 0 };
	unsigned int n = 0;

	cr_assert_eq(subflows_read(&lab->world.client, &s), 0);
	for (size_t i = 0; i < s.count; i++)
		n += s.at[i].state == 1; /* TCP_ESTABLISHED */
	subflows_free(&s);
	return n;
}

Test(metered, quota_is_of_all_programs_of_a_user)
{
	const char *const none[] = { NULL };
	struct proc first, second, other;
	struct lab lab;

	NEED_USERS();
	cr_assert_eq(metered_mount(), 0);
	cr_assert_eq(rmdir("/var/lib/mptcpaddr"), 0); /* the broker makes it */
	lab_open(&lab, none);
	put_text(lab.pool, POOL);
	lab_broker(&lab, "[broker]\nlog = debug\n");
	lab_start(&lab, &first, ALICE, lab.pool, echo_argv);
	cr_assert(WAIT_FOR(metered_read(ALICES) >= QUOTA), "%lld: %s",
		  metered_read(ALICES), proc_errors(&lab.broker));
	cr_assert(WAIT_FOR(paths(&lab) == 0), "%s", proc_errors(&lab.broker));
	proc_end(&first);
	/* The next broker reads the file. */
	lab_broker_end(&lab);
	lab_broker(&lab, "[broker]\nlog = debug\n");
	lab_start(&lab, &second, ALICE, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(strstr(proc_errors(&lab.broker),
				  "closed: the quota is used up")),
		  "%s", proc_errors(&lab.broker));
	cr_assert(WAIT_FOR(paths(&lab) == 0), "%s", proc_errors(&lab.broker));
	lab_start(&lab, &other, BOB, lab.pool, echo_argv);
	cr_assert(WAIT_FOR(proc_said(&other, ".\n.\n")), "%s", proc_errors(&other));
	cr_assert_eq(paths(&lab), 1);
	proc_end(&second);
	proc_end(&other);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Of a user who may manage connections: no broker. */
static void counts_in(const char *variable, const char *file)
{
	char env[128], path[128];
	const char *const argv[] = { "--inh-caps",
				     "+net_admin",
				     "--ambient-caps",
				     "+net_admin",
				     "env",
				     "-u",
				     "XDG_STATE_HOME",
				     "HOME=/nowhere",
				     env,
				     "@tests/apps/tcpclient",
				     "10.0.1.1",
				     LAB_PORT,
				     NULL };
	const char *const none[] = { NULL };
	struct proc client;
	struct lab lab;
	struct stat st;

	NEED_USERS();
	lab_open(&lab, none);
	put_text(lab.pool, POOL);
	snprintf(env, sizeof(env), "%s=%s/home", variable, lab.dir);
	snprintf(path, sizeof(path), "%s/home", lab.dir);
	cr_assert(mkdir(path, 0700) == 0 && chown(path, ALICE, ALICE) == 0);
	snprintf(path, sizeof(path), "%s/home/%s", lab.dir, file);
	lab_start(&lab, &client, ALICE, lab.pool, argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected")), "%s", proc_errors(&client));
	/* What a path has carried before its first check is not counted. */
	cr_assert(WAIT_FOR((proc_tell(&client, "echo 100"), metered_read(path) > 0)),
		  "%s", proc_errors(&client));
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_uid, ALICE);
	cr_assert_eq(st.st_mode & 0777, 0600);
	proc_end(&client);
	lab_close(&lab);
}

Test(metered, user_without_a_broker_has_a_file_at_home)
{
	counts_in("HOME", ".local/state/mptcpaddr/metered");
}

Test(metered, user_without_a_broker_has_a_file_in_xdg_state_home)
{
	counts_in("XDG_STATE_HOME", "mptcpaddr/metered");
}
