// SPDX-License-Identifier: MIT
/*
 * uplinks.c - a transfer over two uplinks behind NAT routers, with the first one down for
 * a while
 */
#include "uplinks.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "endpoint.h"
#include "proc.h"
#include "shim.h"
#include "until.h"
#include "world.h"

#define SERVER	 "10.9.0.1"
#define PORT	 "8080"
#define USED	 100000	  /* bytes that show that an uplink carries data */
#define BEFORE	 10000000 /* over the first uplink, half of it over the other one */
#define SIZE	 45e6	  /* without the time of the absence */
#define RATE_2	 2.5e6	  /* bytes per second */
#define SETUP_MS 20000
#define REST_MS	 120000 /* for SIZE */

struct rig {
	struct absence absence;
	enum uplink_side side;
	struct host client, server, router[2];
	struct proc serve, transfer;
};

const char *uplink_side_name(enum uplink_side side)
{
	static const char *const names[] = { "kernel", "dev", "ADDRESS dev" };

	return names[side];
}

static int wire_uplink(const struct rig *rig, int i)
{
	const struct host *router = &rig->router[i - 1];
	char client[512], server[256], side[512];
	int r;

	snprintf(client, sizeof(client),
		 "link set lo up\n"
		 "link add c%1$d type veth peer name d%1$d netns /proc/%2$d/fd/%3$d\n"
		 "addr add 10.%1$d.0.2/24 dev c%1$d\n"
		 "link set c%1$d up\n"
		 "route add default via 10.%1$d.0.1 dev c%1$d metric %1$d0\n",
		 i, (int)getpid(), router->netns);
	snprintf(server, sizeof(server),
		 "link add s%1$d type veth peer name u%1$d netns /proc/%2$d/fd/%3$d\n"
		 "addr add 10.9%1$d.0.1/24 dev s%1$d\n"
		 "link set s%1$d up\n",
		 i, (int)getpid(), router->netns);
	snprintf(side, sizeof(side),
		 "addr add 10.%1$d.0.1/24 dev d%1$d\n"
		 "addr add 10.9%1$d.0.2/24 dev u%1$d\n"
		 "link set d%1$d up\nlink set u%1$d up\n"
		 "route add default via 10.9%1$d.0.1\n",
		 i);
	r = host_ip(&rig->client, client);
	if (!r)
		r = host_ip(&rig->server, server);
	return r ?: host_ip(router, side);
}

static int shape_uplink(const struct rig *rig, int i)
{
	static const char *const rates[] = { "40mbit", "20mbit" };
	const struct host *router = &rig->router[i - 1];
	char dev[8], rules[160];
	const char *const argv[] = { "tc",   "qdisc",	"add",	"dev",	      dev,
				     "root", "tbf",	"rate", rates[i - 1], "burst",
				     "64kb", "latency", "50ms", NULL };
	int r = host_sysctl(router, "net/ipv4/ip_forward", "1");

	for (const char *c = "du"; *c && !r; c++) {
		snprintf(dev, sizeof(dev), "%c%d", *c, i);
		r = proc_run(router, NULL, argv) ? -EINVAL : 0;
	}
	snprintf(rules, sizeof(rules),
		 "table ip home { chain out { type nat hook postrouting priority srcnat; "
		 "oifname u%d masquerade; }; }\n",
		 i);
	return r ?: host_nft(router, rules);
}

static int start_server(struct rig *rig)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/transfer", path, sizeof(path)),
				     "serve", PORT, NULL };
	int r = host_ip(&rig->server, "link set lo up\naddr add " SERVER "/32 dev lo\n");

	if (!r)
		r = host_path_manager(&rig->server, PM_KERNEL);
	if (!r)
		r = limits_set(&rig->server, 8, 8);
	if (!r)
		r = proc_start(&rig->serve, &rig->server, argv, NULL);
	if (!r && !WAIT_UNTIL(proc_said(&rig->serve, "listening"), SETUP_MS))
		r = -ETIMEDOUT;
	return r;
}

static int add_kernel_endpoints(const struct rig *rig)
{
	struct endpoint_spec e[] = {
		{ .addr = "10.1.0.2", .flags = EP_SUBFLOW, .dev = "c1" },
		{ .addr = "10.2.0.2", .flags = EP_SUBFLOW, .dev = "c2" },
	};
	int r = host_path_manager(&rig->client, PM_KERNEL);

	if (!r)
		r = limits_set(&rig->client, 8, 8);
	for (int i = 0; i < 2 && !r; i++)
		r = endpoint_add(&rig->client, &e[i]);
	return r;
}

static int write_pool(const char *path, enum uplink_side side)
{
	const bool addresses = side == UPLINK_ADDRESS;
	FILE *f = fopen(path, "we");

	if (!f)
		return -errno;
	fprintf(f, "[pool]\nendpoint = %sdev c1 subflow\nendpoint = %sdev c2 subflow\n",
		addresses ? "10.1.0.2 " : "", addresses ? "10.2.0.2 " : "");
	return fclose(f) ? -errno : 0;
}

static int start_client(struct rig *rig)
{
	const double bytes = SIZE + rig->absence.seconds * RATE_2;
	char path[PATH_MAX], size[32];
	const char *const argv[] = { built("tests/apps/transfer", path, sizeof(path)),
				     rig->absence.upload ? "put" : "get",
				     SERVER,
				     PORT,
				     size,
				     rig->side == UPLINK_KERNEL ? "mptcp" : NULL,
				     NULL };
	const char *log = getenv("MPTCPADDR_TEST_LOG");
	struct shim_env shim;
	char pool[64];
	int r;

	snprintf(size, sizeof(size), "%.0f", bytes);
	if (rig->side == UPLINK_KERNEL) {
		r = add_kernel_endpoints(rig);
		return r ?: proc_start(&rig->transfer, &rig->client, argv, NULL);
	}
	snprintf(pool, sizeof(pool), "/run/uplinks-%d.conf", (int)getpid());
	r = write_pool(pool, rig->side);
	if (!r)
		r = host_path_manager(&rig->client, PM_USERSPACE);
	shim_env(&shim, pool);
	shim.list[shim.count++] = log;
	return r ?: proc_start(&rig->transfer, &rig->client, argv, shim.list);
}

/* Bytes that the client has received, or sent, over uplink @i. */
static double uplink_carried(const struct rig *rig, int i)
{
	char line[512], dev[8];
	double in, out, bytes = 0;
	FILE *f;

	snprintf(dev, sizeof(dev), "c%d:", i);
	f = host_enter(&rig->client) < 0 ? NULL
					 : fopen("/proc/thread-self/net/dev", "re");
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, dev);

		if (at && sscanf(at + strlen(dev), "%lf %*d %*d %*d %*d %*d %*d %*d %lf",
				 &in, &out) == 2)
			bytes = rig->absence.upload ? out : in;
	}
	if (f)
		fclose(f);
	return bytes;
}

static int rig_open(struct rig *rig)
{
	struct host *const hosts[] = { &rig->client, &rig->server, &rig->router[0],
				       &rig->router[1] };
	int r = 0;

	for (size_t i = 0; i < 4 && !r; i++)
		r = host_make(hosts[i], "nat");
	for (int i = 1; i <= 2 && !r; i++)
		r = wire_uplink(rig, i) ?: shape_uplink(rig, i);
	if (!r)
		r = start_server(rig);
	if (!r)
		r = start_client(rig);
	if (!r && proc_tell(&rig->transfer, "") < 0)
		r = -EPIPE;
	return r;
}

static bool rig_ended(struct rig *rig)
{
	return proc_wait(&rig->transfer, 0) != -ETIMEDOUT;
}

/* Return: how long it took until the first uplink carried data again, in ms. */
static double take_uplink(struct rig *rig)
{
	double before;
	int64_t back;

	host_ip(&rig->client, "link set c1 down\n");
	nap_ms(rig->absence.seconds * 1000);
	if (rig->absence.deaf_ms)
		host_nft(&rig->router[0], "table arp deaf { chain in { type filter hook "
					  "input priority 0; drop; }; }\n");
	before = uplink_carried(rig, 1);
	host_ip(&rig->client,
		"link set c1 up\nroute add default via 10.1.0.1 dev c1 metric 10\n");
	back = now_ms();
	if (rig->absence.deaf_ms) {
		nap_ms(rig->absence.deaf_ms);
		host_nft(&rig->router[0], "delete table arp deaf\n");
	}
	if (WAIT_UNTIL(uplink_carried(rig, 1) > before + USED || rig_ended(rig),
		       REST_MS) &&
	    !rig_ended(rig))
		return now_ms() - back;
	return INFINITY;
}

static void print_errors(const struct rig *rig)
{
	char *client = proc_errors(&rig->transfer), *server = proc_errors(&rig->serve);

	fprintf(stderr, "%s: client: %s\nserver: %s\n", uplink_side_name(rig->side),
		client, server);
	free(client);
	free(server);
}

static int rig_measure(struct rig *rig, struct absence_figures *ret)
{
	const struct proc *receiver = rig->absence.upload ? &rig->serve : &rig->transfer;
	struct absence_figures f;
	double down;
	char *text, *at;
	int r;

	if (!WAIT_UNTIL((uplink_carried(rig, 1) > BEFORE &&
			 uplink_carried(rig, 2) > BEFORE / 2.0) ||
				rig_ended(rig),
			SETUP_MS) ||
	    rig_ended(rig))
		return -EPROTO;
	down = now_ms();
	f.back = take_uplink(rig);
	f.load = machine_load();
	if (proc_wait(&rig->transfer, REST_MS) || proc_wait(&rig->serve, SETUP_MS))
		return -ETIMEDOUT;
	text = proc_output(receiver);
	at = strstr(text, "received");
	r = at && sscanf(at, "received %lf %lf %lf", &f.stall, &f.began, &f.total) == 3
		    ? 0
		    : -EPROTO;
	f.began -= down;
	free(text);
	if (!r)
		*ret = f;
	return r;
}

static _Noreturn void rig_run(struct rig *rig, int to)
{
	struct absence_figures figures;
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = rig_open(rig) ?: rig_measure(rig, &figures);
	if (r < 0 || getenv("MPTCPADDR_TEST_LOG"))
		print_errors(rig);
	if (!r && write(to, &figures, sizeof(figures)) < 0)
		r = -errno;
	proc_end(&rig->transfer);
	proc_end(&rig->serve);
	_exit(r < 0);
}

int absence_start(struct absence_run *ret, const struct absence *absence,
		  enum uplink_side side)
{
	struct rig rig = { .absence = *absence, .side = side };
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		rig_run(&rig, ends[1]);
	close(ends[1]);
	*ret = (struct absence_run){ pid, ends[0] };
	return pid < 0 ? -EAGAIN : 0;
}

int absence_finish(struct absence_run *run, struct absence_figures *ret)
{
	struct absence_figures f;
	const bool ok = read(run->from, &f, sizeof(f)) == sizeof(f);

	close(run->from);
	waitpid(run->pid, NULL, 0);
	if (!ok)
		return -EPROTO;
	*ret = f;
	return 0;
}
