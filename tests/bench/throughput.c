// SPDX-License-Identifier: MIT
/*
 * throughput.c - downloads over one and over three paths
 *
 * Links of 100 Mbit/s. Peer: the kernel's path manager with the same addresses as laminar
 * endpoints; without: plain TCP, which has one path. In turns.
 */
#include "bench.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "proc.h"
#include "shim.h"
#include "until.h"
#include "world.h"

#define PORT	"8081"
#define BYTES	"25000000"
#define ROUNDS	5
#define RUN_MS	20000
#define POOL	BENCH_DIR "/throughput.conf"
#define LIMIT	1.01 /* the noise */
#define LINKS	3
#define CLIENTS 3

enum client {
	OURS,
	PEER,
	PLAIN_TCP
};

static int shape(const struct world *w)
{
	char dev[4];
	const char *const argv[] = { "tc",   "qdisc",	"add",	"dev",	   dev,
				     "root", "tbf",	"rate", "100mbit", "burst",
				     "64kb", "latency", "50ms", NULL };
	int r = 0;

	for (int i = 1; i <= LINKS && !r; i++) {
		snprintf(dev, sizeof(dev), "s%d", i);
		r = proc_run(&w->server, NULL, argv) ? -EOPNOTSUPP : 0;
	}
	return r;
}

static int add_endpoints(const struct world *w)
{
	const struct endpoint_spec all[] = {
		{ .addr = "10.0.2.2", .flags = EP_LAMINAR },
		{ .addr = "10.0.3.2", .flags = EP_LAMINAR },
		{ .addr = "10.0.2.1", .flags = EP_SIGNAL },
		{ .addr = "10.0.3.1", .flags = EP_SIGNAL },
	};
	int r = limits_set(&w->server, LINKS, LINKS);

	r = r ?: limits_set(&w->client, LINKS, LINKS);
	for (int i = 0; i < 4 && !r; i++)
		r = endpoint_add(i < 2 ? &w->client : &w->server, &all[i]);
	return r;
}

static int read_total(const struct proc *client, struct samples *into)
{
	char *text = proc_output(client);
	const char *at = strstr(text, "received");
	double total;
	int r = -EPROTO;

	if (at && sscanf(at, "received %*f %*f %lf", &total) == 1) {
		samples_add(into, total);
		r = 0;
	}
	free(text);
	return r;
}

static int download(const struct world *w, enum client which, struct samples *into)
{
	char path[PATH_MAX];
	const char *const serve[] = { built("tests/apps/transfer", path, sizeof(path)),
				      "serve", PORT, NULL };
	const char *const get[] = { path, "get", "10.0.1.1",
				    PORT, BYTES, which == PEER ? "mptcp" : NULL,
				    NULL };
	struct proc server = { 0 }, client = { 0 };
	struct shim_env shim;
	int r;

	shim_env(&shim, POOL);
	r = host_path_manager(&w->client, which == OURS ? PM_USERSPACE : PM_KERNEL);
	if (!r)
		r = proc_start(&server, &w->server, serve, NULL);
	if (!r && !WAIT_UNTIL(proc_said(&server, "listening"), RUN_MS))
		r = -ETIMEDOUT;
	if (!r)
		r = proc_start(&client, &w->client, get,
			       which == OURS ? shim.list : NULL);
	if (!r)
		r = proc_tell(&client, "");
	if (!r && (proc_wait(&client, RUN_MS) || proc_wait(&server, RUN_MS)))
		r = -ETIMEDOUT;
	if (!r)
		r = read_total(&client, into);
	proc_end(&client);
	proc_end(&server);
	return r;
}

static int measure(int paths, struct samples took[CLIENTS])
{
	struct world w;
	int r = world_open(&w, LINKS);

	if (!r)
		r = put_file(POOL, paths > 1 ? "[pool]\nendpoint = 10.0.2.2 laminar\n"
					       "endpoint = 10.0.3.2 laminar\n"
					     : "[pool]\nendpoint = 10.0.1.2 laminar\n");
	if (!r)
		r = shape(&w);
	if (!r && paths > 1)
		r = add_endpoints(&w);
	for (int i = 0; i < CLIENTS * ROUNDS && !r; i++)
		r = download(&w, i % CLIENTS, &took[i % CLIENTS]);
	world_close(&w);
	return r;
}

int bench_throughput(void)
{
	static const char *const what[] = { "one path, median", "three paths, median" };
	int r = 0;

	for (int i = 0; i < 2 && !r; i++) {
		struct samples took[CLIENTS] = { 0 };

		r = measure(i ? LINKS : 1, took);
		if (!r && !i)
			report_heading("download of 25 MB, links of 100 Mbit/s, ms");
		if (!r)
			report_row(&(struct row){ what[i],
						  samples_quantile(&took[OURS], 0.5),
						  samples_quantile(&took[PEER], 0.5),
						  samples_quantile(&took[PLAIN_TCP], 0.5),
						  TARGET_RATIO, LIMIT });
		for (int k = 0; k < CLIENTS; k++)
			samples_free(&took[k]);
	}
	return r;
}
