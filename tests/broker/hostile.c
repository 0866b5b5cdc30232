// SPDX-License-Identifier: MIT
/*
 * hostile.c - other users hold the names of our sockets, and fill their queues
 *
 * Whatever they do: pools work, no connect() is slower, and their user ID is reported.
 */
#include "hostile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manager.h"
#include "sandbox.h"

#define DELAY_US 10000 /* that another user may cost a connect() */

/* As @uid, on the client; @how and @number: options of tests/apps/holder.c, or NULL. */
void holder_start(struct lab *lab, struct proc *p, uid_t uid, const char *how,
		  const char *number, const char *name)
{
	const char *const argv[] = { "@tests/apps/holder", how, number ?: name,
				     number ? name : NULL, NULL };

	lab_start(lab, p, uid, NULL, argv);
	cr_assert(WAIT_FOR(proc_said(p, "ready")), "%s: %s", name, proc_errors(p));
}

/* Connections of @uid's program get their pairs. */
static void served_once(struct lab *lab, uid_t uid, struct took *best)
{
	const char *const argv[] = { "@tests/programs/timed", "10.0.1.1", LAB_PORT, "4",
				     NULL };
	struct took took;
	struct proc p;
	char *said;

	lab_start(lab, &p, uid, lab->pool, argv);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) == 8),
		  "user %u: %d joins, not 8", uid, joined_count(&lab->world.client));
	cr_assert(WAIT_FOR(proc_said(&p, "first")), "%s", proc_errors(&p));
	said = proc_output(&p);
	cr_assert_eq(sscanf(strstr(said, "first"), "first %ld later %ld", &took.first,
			    &took.later),
		     2);
	best->first = took.first < best->first ? took.first : best->first;
	best->later = took.later < best->later ? took.later : best->later;
	free(said);
	proc_end(&p);
	cr_expect(WAIT_FOR(joined_count(&lab->world.client) == 0));
}

struct took served(struct lab *lab, uid_t uid)
{
	struct took best = { LONG_MAX, LONG_MAX };

	for (int i = 0; i < RUNS; i++)
		served_once(lab, uid, &best);
	return best;
}

/* The same, as fast as @without: some run is, however busy the machine, unless each
 * waits. */
void served_as_fast(struct lab *lab, uid_t uid, const char *what, struct took without)
{
	const int64_t end_ms = now_ms() + EFFECT_MS;
	struct took with = { LONG_MAX, LONG_MAX };
	int i;

	for (i = 0; i < RUNS || ((with.first - without.first >= DELAY_US ||
				  with.later - without.later >= DELAY_US) &&
				 now_ms() < end_ms);
	     i++)
		served_once(lab, uid, &with);
	cr_log_info(
		"%s: connect() takes %ld and later %ld us, without holder %ld and %ld",
		what, with.first, with.later, without.first, without.later);
	cr_expect_lt(with.first - without.first, DELAY_US, "%s: %ld us, not %ld", what,
		     with.first, without.first);
	cr_expect_lt(with.later - without.later, DELAY_US, "%s: %ld us, not %ld", what,
		     with.later, without.later);
}

/* With MPTCPADDR_LOG, a program of @uid names the holder. */
static void program_logs(struct lab *lab, uid_t uid, const char *text)
{
	const char *const argv[] = { "env",
				     "MPTCPADDR_LOG=warning",
				     "@tests/programs/timed",
				     "10.0.1.1",
				     LAB_PORT,
				     "1",
				     NULL };
	struct proc p;
	char *said;

	lab_start(lab, &p, uid, lab->pool, argv);
	cr_expect(WAIT_FOR(proc_said(&p, "first")));
	said = proc_errors(&p);
	cr_expect(strstr(said, text), "the program's log: %s", said);
	free(said);
	proc_end(&p);
}

void tool_says(struct lab *lab, uid_t uid, const char *const tool[], const char *text)
{
	struct proc p;

	lab_start(lab, &p, uid, NULL, tool);
	proc_wait(&p, EFFECT_MS);
	cr_expect(proc_said(&p, text) || strstr(proc_errors(&p), text),
		  "%s %s: no \"%s\" in: %s %s", tool[0], tool[1], text, proc_output(&p),
		  proc_errors(&p));
	proc_end(&p);
}

void broker_logs(struct lab *lab, const char *text)
{
	char *said;

	cr_expect(WAIT_FOR(({
			  said = proc_errors(&lab->broker);
			  const bool there = strstr(said, text);
			  free(said);
			  there;
		  })),
		  "the broker does not log \"%s\": %s", text, proc_errors(&lab->broker));
}

static const char *const doctor[] = { "@mptcpaddr", "doctor", "-v", NULL };

/* Its queue is full: its owner is asked before it counts as a broker. */
Test(hostile, held_broker_name_costs_nothing_without_a_broker)
{
	struct took without;
	struct proc holder;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	without = served(&lab, 0);
	holder_start(&lab, &holder, ALICE, "-f", NULL, BROKER_NAME);
	served_as_fast(&lab, 0, "full queue, no broker", without); /* manages itself */
	program_logs(&lab, 0, "held by user 1000");
	program_logs(&lab, BOB, "held by user 1000");
	tool_says(&lab, 0, doctor, "user 1000 holds the broker's socket name");
	proc_end(&holder);
	lab_close(&lab);
}

Test(hostile, held_broker_name_does_not_keep_a_broker_from_serving)
{
	static const char *const hows[] = { "-f", "-n1", "-b" };
	static const uid_t uids[] = { 0, BOB, 1009 };
	struct took without[3];
	struct proc holder;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	for (int i = 0; i < 3; i++)
		without[i] = served(&lab, uids[i]);
	lab_broker_end(&lab);
	for (int h = 0; h < 3; h++) {
		holder_start(&lab, &holder, ALICE, hows[h], NULL, BROKER_NAME);
		lab_broker(&lab, "");
		for (int i = 0; i < 3; i++)
			served_as_fast(&lab, uids[i], hows[h], without[i]);
		broker_logs(&lab, "user 1000 holds the socket name");
		tool_says(&lab, BOB, doctor, "user 1000 holds the broker's socket name");
		tool_says(&lab, 0, doctor, "a broker serves programs without rights");
		tool_says(&lab, 0, info, "\"mptcpaddrd\"");
		proc_end(&holder);
		/* Also for programs that do not see /run. */
		broker_logs(&lab, "is free again");
		cr_expect_gt(broker_count().registrations, 0);
		lab_broker_end(&lab);
	}
	lab_close(&lab);
}

Test(hostile, held_lazy_name_takes_no_path_away)
{
	static const char *const hows[] = { "-f", "-n1", "-b" };
	struct proc holder, client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	for (int h = 0; h < 3; h++) {
		holder_start(&lab, &holder, ALICE, hows[h], NULL, BROKER_LAZY);
		lab_broker(&lab, "");
		lab_start(&lab, &client, BOB, lab.pool, tcpclient_argv);
		cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 2));
		cr_assert_eq(proc_tell(&client, "connect"), 0);
		cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 4), "%s: %d joins",
			  hows[h], joined_count(&lab.world.client));
		proc_end(&client);
		cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 0));
		proc_end(&holder);
		lab_broker_end(&lab);
	}
	lab_close(&lab);
}

/* Between the end of a broker and the start of the next one. */
Test(hostile, name_taken_while_a_broker_restarts)
{
	struct proc holder, client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	lab_broker(&lab, "");
	lab_start(&lab, &client, BOB, lab.pool, tcpclient_argv);
	cr_assert(WAIT_FOR(joined_count(&lab.world.client) == 2));
	proc_end(&lab.broker); /* SIGKILL */
	holder_start(&lab, &holder, ALICE, "-f", NULL, BROKER_NAME);
	lab_broker(&lab, "");
	cr_assert_eq(proc_tell(&client, "connect"), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 4), "%d joins",
		  joined_count(&lab.world.client));
	proc_end(&client);
	proc_end(&holder);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Only root can make a socket at that path, and a second broker finds the first. */
Test(hostile, second_broker_does_not_start_beside_a_held_name)
{
	const char *const argv[] = { "@mptcpaddrd", "-s", "/run/second", NULL };
	struct proc holder, second;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, announced_two);
	holder_start(&lab, &holder, ALICE, "-f", NULL, BROKER_NAME);
	lab_broker(&lab, "");
	lab_start(&lab, &second, 0, NULL, argv);
	cr_expect_eq(proc_wait(&second, EFFECT_MS), 1);
	cr_expect(strstr(proc_errors(&second), "another broker is running"));
	proc_end(&second);
	proc_end(&holder);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* The connections of a process that ends go to its child, whoever watches. */
static void child_takes_over(const char *how)
{
	static const char *const none[] = { NULL };
	const struct endpoint_spec later = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	const char *const argv[] = { "@tests/programs/hold", how, "10.0.1.1", LAB_PORT,
				     "/run/marker",	     NULL };
	struct proc watcher, p;
	struct lab lab;

	NEED_USERS();
	sandbox_own_run();
	lab_open(&lab, none);
	holder_start(&lab, &watcher, ALICE, "-w", NULL, "mptcpaddr-takeover/");
	lab_start(&lab, &p, 0, lab.pool, argv);
	cr_assert(WAIT_FOR(!access("/run/marker", F_OK)), "%s", proc_errors(&p));
	/* Nobody tells a manager what was announced before it began to listen. */
	cr_assert(WAIT_FOR(manager_listens(&lab.world.client)));
	cr_assert_eq(endpoint_add(&lab.world.server, &later), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1), "%s: no join", how);
	proc_end(&p);
	proc_end(&watcher);
	lab_close(&lab);
}

Test(hostile, child_takes_over_from_a_parent_that_ends)
{
	child_takes_over("slowdoublefork");
}

Test(hostile, child_takes_over_from_a_parent_that_was_killed)
{
	child_takes_over("killed");
}

Test(hostile, child_takes_over_from_a_parent_that_executes_another_program)
{
	child_takes_over("parentexecs");
}

#define LISTEN_NAME "mptcpaddr-listen/[::]:8080/8080"

/* The kernel of the other host joins each announced address. */
static void connects_get(struct lab *lab, struct proc *client, int connections,
			 const char *pairs)
{
	char text[32];

	snprintf(text, sizeof(text), "burst %d", connections);
	cr_assert_eq(proc_tell(client, text), 0);
	cr_expect(WAIT_FOR(connections_with(&lab->world.server, pairs) == connections),
		  "%d of %d connections", connections_with(&lab->world.server, pairs),
		  connections);
}

/* A server that manages itself announces, although another user holds the names by which
 * processes that share an address choose a manager. */
static void server_announces(const char *how, const char *number, const char *name)
{
	static const char *const none[] = { NULL };
	const char *const server[] = { "env", "MPTCPADDR_LOG=warning",
				       "@tests/apps/tcpserver", "8080", NULL };
	const char *const client[] = {
		"@tests/apps/tcpclient", "-m", "-q", "-N", "0", "10.0.1.2", "8080", NULL
	};
	struct proc holder, s, c;
	char path[PATH_MAX];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, none);
	put_text(lab.pool, "[pool]\nendpoint = 10.0.2.2 signal\n");
	cr_assert_eq(limits_set(&lab.world.server, 8, 8), 0);
	holder_start(&lab, &holder, ALICE, how, number, name);
	lab_start(&lab, &s, 0, lab.pool, server);
	cr_assert(WAIT_FOR(proc_said(&s, "listening")), "%s", proc_errors(&s));
	cr_assert_eq(
		proc_start(&c, &lab.world.server,
			   (const char *[]){ built(client[0] + 1, path, sizeof(path)),
					     client[1], client[2], client[3], client[4],
					     client[5], client[6], NULL },
			   NULL),
		0);
	connects_get(&lab, &c, 4, "10.0.2.1-10.0.2.2");
	cr_expect(WAIT_FOR(strstr(proc_errors(&s), "held by user 1000")), "%s",
		  proc_errors(&s));
	tool_says(&lab, 0, doctor, "user 1000 holds the socket name mptcpaddr-listen/");
	proc_end(&c);
	proc_end(&s);
	proc_end(&holder);
	lab_close(&lab);
}

Test(hostile, server_announces_although_its_name_is_bound)
{
	server_announces("-b", NULL, LISTEN_NAME);
}

Test(hostile, server_announces_although_its_name_has_a_full_queue)
{
	server_announces("-f", NULL, LISTEN_NAME);
}
