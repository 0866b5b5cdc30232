// SPDX-License-Identifier: MIT
/*
 * start.c - name, pool file and opt-out are those of the start, whatever the program does
 * to itself before it connects; with a broker and without
 */
#include "broker.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const announced[] = { "10.0.2.1", "10.0.3.1", NULL };

/* As root, with a pool file that only root can read. */
static void has_joins(struct lab *lab, const char *how, int joins)
{
	const char *const argv[] = { "@tests/programs/changes", how, "10.0.1.1", LAB_PORT,
				     NULL };
	struct proc p;
	char *errors;

	chmod(lab->pool, 0600);
	lab_start(lab, &p, 0, lab->pool, argv);
	cr_assert(WAIT_FOR(proc_said(&p, "echoed")), "%s: %s", how, proc_errors(&p));
	if (joins)
		WAIT_FOR(joined_count(&lab->world.client) == joins);
	else
		nap_ms(300);
	errors = proc_errors(&p);
	cr_expect_eq(joined_count(&lab->world.client), joins, "%s: %d joins: %s", how,
		     joined_count(&lab->world.client), errors);
	free(errors);
	proc_end(&p);
	cr_assert(WAIT_FOR(joined_count(&lab->world.client) == 0));
}

Test(start, pool_and_opt_out_hold)
{
	static const char *const changes[] = {
		"title,empty",	      "chroot", "socket,title,child,chroot",
		"socket,chroot-copy", "user",	"socket,empty,child,user"
	};
	const size_t n = sizeof(changes) / sizeof(changes[0]);
	struct lab lab;
	size_t i;

	NEED_USERS();
	lab_open(&lab, announced);
	for (i = 0; i < n; i++)
		has_joins(&lab, changes[i], 2);
	lab_broker(&lab, "");
	for (i = 0; i < n; i++)
		has_joins(&lab, changes[i], 2);
	cr_expect_eq(broker_count().registrations, n);
	put_text(lab.pool, POOL_23 "[app]\nmptcp = no\n");
	for (i = 0; i < n; i++)
		has_joins(&lab, changes[i], 0);
	cr_expect_eq(broker_count().registrations, n, "no MPTCP with mptcp = no");
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* As another user, the program may not open the file any more. */
static void logs(struct lab *lab, const char *text)
{
	const char *const argv[] = { "env",
				     "MPTCPADDR_LOG=info:/run/log",
				     "@tests/programs/changes",
				     "socket,child,user",
				     "10.0.1.1",
				     LAB_PORT,
				     NULL };
	const char *const show[] = { "cat", "/run/log", NULL };
	struct proc p;

	unlink("/run/log");
	lab_start(lab, &p, 0, lab->pool, argv);
	proc_eof(&p);
	cr_expect_eq(proc_wait(&p, EFFECT_MS), 0, "%s", proc_errors(&p));
	proc_end(&p);
	cr_assert_eq(proc_start(&p, NULL, show, NULL), 0);
	proc_wait(&p, EFFECT_MS);
	cr_expect(proc_said(&p, text), "%s: %s", text, proc_output(&p));
	proc_end(&p);
}

Test(start, log_holds)
{
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced);
	logs(&lab, "2 endpoints from");
	lab_broker(&lab, "");
	logs(&lab, "the broker manages the connections");
	lab_broker_end(&lab);
	lab_close(&lab);
}
