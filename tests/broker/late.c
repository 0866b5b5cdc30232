// SPDX-License-Identifier: MIT
/*
 * late.c - connections that could not be registered at first are registered later
 */
#include "broker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POOL "[pool]\nendpoint = 10.0.2.2 subflow\n"

/* A connection for each line of its input. */
static const char *const client_argv[] = {
	"/usr/bin/python3", "-c",
	"import resource as r, socket, sys\n"
	"all = []\n"
	"for line in sys.stdin:\n"
	" c = socket.socket()\n"
	" if 'unanswered' in line:\n"
	"  c.setblocking(False)\n"
	"  c.connect_ex(('10.0.1.77', " LAB_PORT "))\n"
	"  all.append(c)\n"
	"  print('connection', len(all), flush=True)\n"
	"  continue\n"
	" soft, hard = r.getrlimit(r.RLIMIT_NOFILE)\n"
	" if 'full' in line:\n"
	"  r.setrlimit(r.RLIMIT_NOFILE, (c.fileno() + 1, hard))\n"
	" c.connect(('10.0.1.1', " LAB_PORT "))\n"
	" r.setrlimit(r.RLIMIT_NOFILE, (soft, hard))\n"
	" c.send(b'x')\n"
	" c.recv(1)\n"
	" all.append(c)\n"
	" print('connection', len(all), flush=True)\n",
	NULL
};

static void lab_begin(struct lab *lab, const char *const announced[])
{
	lab_open(lab, announced);
	put_text(lab->pool, POOL);
}

/* Connect once more. */
static void client_connect(struct proc *client, const char *line, int number)
{
	char text[32];

	snprintf(text, sizeof(text), "connection %d\n", number);
	cr_assert_eq(proc_tell(client, line), 0);
	cr_assert(WAIT_FOR(proc_said(client, text)), "%s", proc_errors(client));
}

static void lab_finish(struct lab *lab, struct proc *client)
{
	proc_eof(client);
	cr_expect_eq(proc_wait(client, EFFECT_MS), 0);
	proc_end(client);
	lab_broker_end(lab);
	lab_close(lab);
}

Test(late, connections_from_before_the_broker_get_subflows_with_the_next_one)
{
	const char *const none[] = { NULL };
	struct proc client;
	struct lab lab;
	int n = 2;

	NEED_USERS();
	lab_begin(&lab, none);
	lab_start(&lab, &client, ALICE, lab.pool, client_argv);
	client_connect(&client, "go", 1);
	client_connect(&client, "go", 2);
	lab_broker(&lab, "");
	/* The library looks for a broker now and then. */
	while (!joined_count(&lab.world.client) && n < 40) {
		client_connect(&client, "go", ++n);
		WAIT_UNTIL(joined_count(&lab.world.client), 200);
	}
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == n), "%d of %d",
		  joined_count(&lab.world.client), n);
	cr_expect_eq(broker_count().registrations, (uint64_t)n);
	lab_finish(&lab, &client);
}

/* A client whose first connection the broker has given a path. */
static void start_served(struct lab *lab, struct proc *client)
{
	const char *const none[] = { NULL };

	lab_begin(lab, none);
	lab_broker(lab, "");
	lab_start(lab, client, ALICE, lab->pool, client_argv);
	client_connect(client, "go", 1);
	cr_assert(WAIT_FOR(joined_count(&lab->world.client) == 1));
}

Test(late, connection_without_a_free_descriptor_is_registered_with_the_next_one)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	start_served(&lab, &client);
	client_connect(&client, "full", 2);
	cr_expect_eq(broker_count().registrations, 1);
	client_connect(&client, "go", 3);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 3));
	cr_expect_eq(broker_count().registrations, 3);
	lab_finish(&lab, &client);
}

/* Programs in the queue of the broker's socket @name. */
static int queued(const struct lab *lab, const char *name)
{
	const char *const argv[] = { "sh", "-c",
				     "ss -Hxl src \"@$0\" | awk '{ print $3 }'", name,
				     NULL };
	struct proc p;
	char *said;
	int n;

	cr_assert_eq(proc_start(&p, &lab->world.client, argv, NULL), 0);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0);
	said = proc_output(&p);
	n = *said ? atoi(said) : -1;
	free(said);
	proc_end(&p);
	return n;
}

/* @more connections while the broker is stopped: they all get a path. */
static void connect_lazily(int more, int lazily)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	start_served(&lab, &client);
	kill(lab.broker.pid, SIGSTOP);
	for (int i = 0; i < more; i++)
		client_connect(&client, "go", 2 + i);
	cr_expect_eq(queued(&lab, BROKER_LAZY), lazily, "%d", queued(&lab, BROKER_LAZY));
	cr_expect_eq(queued(&lab, BROKER_NAME), more - lazily, "%d",
		     queued(&lab, BROKER_NAME));
	kill(lab.broker.pid, SIGCONT);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1 + more), "%d",
		  joined_count(&lab.world.client));
	cr_expect_eq(broker_count().registrations, (uint64_t)1 + more);
	lab_finish(&lab, &client);
}

Test(late, answered_connection_does_not_wake_the_broker)
{
	connect_lazily(1, 1);
}

Test(late, broker_wakes_up_before_its_lazy_socket_overflows)
{
	connect_lazily(20, 17);
}

/* Without an answer there may never be an event, but rearm.c wants to know. */
Test(late, unanswered_connection_is_registered_at_once)
{
	struct proc client;
	struct lab lab;

	NEED_USERS();
	start_served(&lab, &client);
	kill(lab.broker.pid, SIGSTOP);
	client_connect(&client, "unanswered", 2);
	cr_expect_eq(queued(&lab, BROKER_LAZY), 0);
	cr_expect_eq(queued(&lab, BROKER_NAME), 1);
	kill(lab.broker.pid, SIGCONT);
	cr_expect(WAIT_FOR(broker_count().registrations == 2));
	lab_finish(&lab, &client);
}
