// SPDX-License-Identifier: MIT
/*
 * traffic.c - a server that announces, and clients under the library
 */
#include "traffic.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "manager.h"
#include "shim.h"

void traffic_serve(struct bench *b, struct proc *server, bool plain_tcp,
		   const char *const announced[])
{
	const struct host *host = &b->world.server;
	int i, r;

	cr_assert_eq(host_path_manager(host, PM_KERNEL), 0);
	cr_assert_eq(limits_set(host, 8, 8), 0);
	for (i = 0; announced && announced[i]; i++) {
		struct endpoint_spec e = { .addr = announced[i], .flags = EP_SIGNAL };

		r = endpoint_add(host, &e);
		cr_assert_eq(r, 0, "signal %s: %s", announced[i], strerror(-r));
	}
	r = proc_start(server, host,
		       plain_tcp
			       ? ARGS(path_of("tests/apps/tcpserver"), "-p", TRAFFIC_PORT)
			       : ARGS(path_of("tests/apps/tcpserver"), TRAFFIC_PORT),
		       NULL);
	cr_assert_eq(r, 0, "server: %s", strerror(-r));
	cr_assert(WAIT_FOR(proc_said(server, "listening")));
}

void traffic_connect(struct bench *b, struct proc *client, const char *pool,
		     const char *const who[])
{
	const char *argv[16] = { NULL };
	static unsigned int files;
	struct ctl_manager manager;
	struct shim_env shim;
	char path[96], *errors;
	bool ok;
	int n = 0, r;

	snprintf(path, sizeof(path), "%s/pool-%u.conf", b->home, files++);
	if (pool)
		put_file(path, pool, 0644);
	while (who && who[n]) {
		argv[n] = who[n];
		n++;
	}
	argv[n++] = path_of("tests/apps/tcpclient");
	argv[n++] = "10.0.1.1";
	argv[n++] = TRAFFIC_PORT;
	r = proc_start(client, &b->world.client, argv,
		       shim_env(&shim, pool ? path : NULL));
	cr_assert_eq(r, 0, "client: %s", strerror(-r));
	ok = WAIT_FOR(proc_said(client, "connected 1\n") ||
		      proc_wait(client, 0) != -ETIMEDOUT);
	errors = proc_errors(client);
	cr_assert(ok && client->pid, "the client did not connect: %s", errors);
	free(errors);
	/* Its control socket may be created after the first connection. */
	cr_assert(!pool ||
		  WAIT_FOR(manager_ask(&b->world.client, client->pid, &manager) == 0));
}

static bool has_pairs(struct bench *b, const char *pairs)
{
	char *text = pairs_text(&b->world.client, 0, false);
	bool same = !strcmp(text, pairs);

	free(text);
	return same;
}

void traffic_pairs(struct bench *b, const char *pairs)
{
	bool ok = WAIT_FOR(has_pairs(b, pairs));

	cr_assert(ok, "the pairs are \"%s\", wanted \"%s\"",
		  pairs_text(&b->world.client, 0, false), pairs);
}
