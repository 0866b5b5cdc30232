// SPDX-License-Identifier: MIT
/*
 * hosts.c - a client and a server with two links, and the client's program with and
 * without our library
 */
#include "hosts.h"
#include "bench.h"
#include "endpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "until.h"

#define PORT	    "4321"
#define POOL	    BENCH_DIR "/connects.conf"
#define START_MS    5000
#define CLIENT_MS   30000
#define CROWD_MS    60000
#define FILES_SPARE 2000

int hosts_open(struct hosts *h)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				     PORT, NULL };
	int r;

	*h = (struct hosts){ .server = { .pidfd = -1, .in = -1, .out = -1, .err = -1 } };
	r = world_open(&h->world, 2);
	if (!r)
		r = put_file(POOL, "[pool]\nendpoint = 10.0.1.2 laminar\n"
				   "endpoint = 10.0.2.2 laminar\n");
	if (!r)
		r = proc_start(&h->server, &h->world.server, argv, NULL);
	if (!r && !WAIT_UNTIL(proc_said(&h->server, "listening"), START_MS))
		r = -ETIMEDOUT;
	if (r < 0)
		fprintf(stderr, "no hosts: %s\n", strerror(-r));
	return r;
}

void hosts_close(struct hosts *h)
{
	proc_end(&h->server);
	world_close(&h->world);
}

static const struct endpoint_spec announced = { "10.0.2.1", EP_SIGNAL, 0, 0, "s2" };
static const struct endpoint_spec local[] = {
	{ "10.0.1.2", EP_LAMINAR, 0, 0, NULL },
	{ "10.0.2.2", EP_LAMINAR, 0, 0, NULL },
};

int hosts_announce(struct hosts *h)
{
	bool known;
	int r;

	r = endpoint_laminar_known(&h->world.client, &known);
	if (!r && !known) {
		fputs("this kernel has no laminar endpoints (Linux 6.18)\n", stderr);
		r = -EOPNOTSUPP;
	}
	if (!r)
		r = limits_set(&h->world.server, 2, 2);
	if (!r)
		r = endpoint_add(&h->world.server, &announced);
	if (!r)
		r = limits_set(&h->world.client, 2, 2);
	for (int i = 0; i < 2 && !r; i++)
		r = endpoint_add(&h->world.client, &local[i]);
	if (r < 0)
		fprintf(stderr, "no endpoints: %s\n", strerror(-r));
	return r;
}

static const char *library_preload(char ret[static PATH_MAX + 16])
{
	char library[PATH_MAX];

	snprintf(ret, PATH_MAX + 16, "LD_PRELOAD=%s",
		 built("libmptcpaddr.so", library, sizeof(library)));
	return ret;
}

static int start_client(struct hosts *h, enum side side, int count, bool join,
			struct proc *ret)
{
	char path[PATH_MAX], preload[PATH_MAX + 16], number[16];
	const char *const argv[] = { built("tests/bench-connects", path, sizeof(path)),
				     side == SIDE_OURS ? "tcp" : "mptcp",
				     "10.0.1.1",
				     PORT,
				     number,
				     join ? "join" : NULL,
				     NULL };
	const char *const env[] = { library_preload(preload), "MPTCPADDR_CONFIG=" POOL,
				    NULL };

	snprintf(number, sizeof(number), "%d", count);
	return proc_start(ret, &h->world.client, argv, side == SIDE_OURS ? env : NULL);
}

static int times_read(const char *text, int expected, struct samples *first,
		      struct samples *later)
{
	struct samples *into;
	char *end;
	int n;

	for (n = 0; *text; n++, text = end + 1) {
		double us = strtol(text, &end, 10) / 1e3;

		if (*end != '\n')
			return -EPROTO;
		into = n ? later : first;
		if (into)
			samples_add(into, us);
	}
	return n == expected ? 0 : -EPROTO;
}

int hosts_connect(struct hosts *h, enum side side, int count, bool join,
		  struct samples *first, struct samples *later)
{
	struct proc client;
	char *text;
	int r;

	r = start_client(h, side, count, join, &client);
	if (r < 0)
		return r;
	r = proc_wait(&client, CLIENT_MS);
	if (!r) {
		text = proc_output(&client);
		r = times_read(text, count, first, later);
		free(text);
	} else if (r > 0) {
		r = -ECHILD;
	}
	if (r < 0) {
		text = proc_errors(&client);
		fprintf(stderr, "the client %s: %s: %s\n",
			side == SIDE_OURS ? "under our library" : "without a library",
			strerror(-r), text);
		free(text);
	}
	proc_end(&client);
	return r;
}

int hosts_crowd(struct hosts *h, enum side side, const char *count, struct proc *ret)
{
	char path[PATH_MAX], preload[PATH_MAX + 16];
	const char *const argv[] = { built("tests/bench-crowd", path, sizeof(path)),
				     "10.0.1.1",
				     PORT,
				     count,
				     side == SIDE_OURS ? "tcp" : "mptcp",
				     NULL };
	const char *const env[] = { library_preload(preload), "MPTCPADDR_CONFIG=" POOL,
				    NULL };
	struct rlimit files;
	char *errors;
	int r;

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < (rlim_t)atoi(count) + FILES_SPARE) {
		fprintf(stderr, "the limit of open files is too low for %s connections\n",
			count);
		return -EMFILE;
	}
	r = host_path_manager(&h->world.client,
			      side == SIDE_OURS ? PM_USERSPACE : PM_KERNEL);
	if (!r)
		r = proc_start(ret, &h->world.client, argv,
			       side == SIDE_OURS ? env : NULL);
	if (!r && !WAIT_UNTIL(proc_said(ret, "connected"), CROWD_MS)) {
		errors = proc_errors(ret);
		fprintf(stderr, "no %s connections: %s\n", count, errors);
		free(errors);
		r = -ETIMEDOUT;
	}
	return r;
}
