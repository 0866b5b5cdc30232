// SPDX-License-Identifier: MIT
/*
 * metered.c - [policy] quota in the broker: of all programs of one user
 */
#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>

#define POOL  "[pool]\nendpoint = 10.0.1.2 subflow metered\n[policy]\nquota = 1M/day\n"
#define QUOTA 1000000

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

static long long in_file(void)
{
	FILE *f = fopen("/var/lib/mptcpaddr/metered.1000", "re");
	long long bytes = -1;

	if (f && fscanf(f, "%*u %lld", &bytes) != 1)
		bytes = -1;
	if (f)
		fclose(f);
	return bytes;
}

Test(metered, quota_is_of_all_programs_of_a_user)
{
	const char *const none[] = { NULL };
	struct proc first, second, other;
	struct lab lab;

	NEED_USERS();
	cr_assert_eq(mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=0755"), 0);
	lab_open(&lab, none);
	put_text(lab.pool, POOL);
	lab_broker(&lab, "[broker]\nlog = debug\n");
	lab_start(&lab, &first, ALICE, lab.pool, echo_argv);
	cr_assert(WAIT_FOR(in_file() >= QUOTA), "%lld: %s", in_file(),
		  proc_errors(&lab.broker));
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
