// SPDX-License-Identifier: MIT
/*
 * policy.c - [policy], `metered` and `cost` on two uplinks of 40 and 20 Mbit/s with
 * round-trip times of 20 and 60 ms
 *
 *	client c1 10.0.1.2 -- d1 wire u1 -- s1 10.0.1.1 server
 *	       c2 10.0.2.2 -- d2      u2 -- s2 10.0.2.1
 *
 * The server is an ordinary one: its kernel manages the paths and announces nothing.
 */
#include "net.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "counter.h"
#include "metered.h"
#include "shim.h"

#define PORT	"8080"
#define SIZE	"400000000"
#define MUCH	100000 /* bytes that show that an uplink carries data */
#define LITTLE	20000  /* handshakes and options */
#define SOON_MS 1000
#define WELL_MS 4000 /* an uplink that was left is not taken again before */
#define HOLD_MS 5000 /* likewise, by the manual; twice as long each time */
#define EDGE_MS 20000

struct rig {
	struct host client, server, wire;
	struct proc delay, serve, program;
	char pool[64], app[PATH_MAX];
};

static void wire_link(struct rig *rig, int i, const char *rate)
{
	char client[256], server[256];

	snprintf(client, sizeof(client),
		 "link add c%1$d type veth peer name d%1$d netns /proc/%2$d/fd/%3$d\n"
		 "addr add 10.0.%1$d.2/24 dev c%1$d\nlink set c%1$d up\n"
		 "route add default via 10.0.%1$d.1 dev c%1$d metric %1$d0\n",
		 i, (int)getpid(), rig->wire.netns);
	snprintf(server, sizeof(server),
		 "link add s%1$d type veth peer name u%1$d netns /proc/%2$d/fd/%3$d\n"
		 "addr add 10.0.%1$d.1/24 dev s%1$d\nlink set s%1$d up\n",
		 i, (int)getpid(), rig->wire.netns);
	cr_assert_eq(host_ip(&rig->client, client), 0);
	cr_assert_eq(host_ip(&rig->server, server), 0);
	for (const char *c = "du"; *c; c++) {
		char dev[8], up[64];
		const char *const argv[] = { "tc",   "qdisc",	"add",	"dev", dev,
					     "root", "tbf",	"rate", rate,  "burst",
					     "64kb", "latency", "50ms", NULL };

		snprintf(dev, sizeof(dev), "%c%d", *c, i);
		snprintf(up, sizeof(up), "link set %s up\n", dev);
		cr_assert_eq(host_ip(&rig->wire, up), 0);
		cr_assert_eq(proc_run(&rig->wire, NULL, argv), 0);
	}
}

static void start_server(struct rig *rig, const char *app)
{
	char path[PATH_MAX];
	const bool transfer = !strcmp(app, "transfer");
	const char *const argv[] = {
		built(transfer ? "tests/apps/transfer" : "tests/apps/tcpserver", path,
		      sizeof(path)),
		transfer ? "serve" : PORT, transfer ? PORT : NULL, NULL
	};

	cr_assert_eq(host_path_manager(&rig->server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&rig->server, 8, 8), 0);
	cr_assert_eq(proc_start(&rig->serve, &rig->server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&rig->serve, "listening")));
}

static void write_pool(const struct rig *rig, const char *text)
{
	FILE *f = fopen(rig->pool, "we");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void start_program(struct rig *rig, const char *const argv[])
{
	struct shim_env shim;

	cr_assert_eq(host_path_manager(&rig->client, PM_USERSPACE), 0);
	shim_env(&shim, rig->pool);
	shim.list[shim.count++] = "MPTCPADDR_LOG=info";
	cr_assert_eq(proc_start(&rig->program, &rig->client, argv, shim.list), 0);
}

/* @verb: get, put: a transfer, or ask */
static void rig_open(struct rig *rig, const char *pool, const char *verb)
{
	char app[PATH_MAX], path[PATH_MAX];
	const bool ask = !strcmp(verb, "ask");
	const char *const delay[] = { built("tests/apps/delay", path, sizeof(path)),
				      "10",
				      "d1",
				      "u1",
				      "30",
				      "d2",
				      "u2",
				      NULL };
	const char *const ask_argv[] = { built("tests/apps/ask", app, sizeof(app)),
					 "10.0.1.1", PORT, "20", NULL };
	const char *argv[] = { NULL, verb, "10.0.1.1", PORT, SIZE, NULL };

	*rig = (struct rig){ 0 };
	snprintf(rig->pool, sizeof(rig->pool), "/run/policy-%d.conf", (int)getpid());
	cr_assert_eq(host_make(&rig->client, "client"), 0);
	cr_assert_eq(host_make(&rig->server, "server"), 0);
	cr_assert_eq(host_make(&rig->wire, "wire"), 0);
	wire_link(rig, 1, "40mbit");
	wire_link(rig, 2, "20mbit");
	cr_assert_eq(proc_start(&rig->delay, &rig->wire, delay, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&rig->delay, "ready")), "%s",
		  proc_errors(&rig->delay));
	start_server(rig, ask ? "tcpserver" : "transfer");
	write_pool(rig, pool);
	if (!ask)
		argv[0] = built("tests/apps/transfer", app, sizeof(app));
	strcpy(rig->app, app);
	start_program(rig, ask ? ask_argv : argv);
	if (!ask)
		cr_assert_eq(proc_tell(&rig->program, ""), 0);
}

static void rig_close(struct rig *rig)
{
	cr_assert_eq(proc_wait(&rig->program, 0), -ETIMEDOUT, "%s",
		     proc_errors(&rig->program));
	proc_end(&rig->program);
	proc_end(&rig->serve);
	proc_end(&rig->delay);
}

/* Bytes that the client has sent and received over link @i */
static long long carried(const struct rig *rig, int i)
{
	char line[512], dev[8];
	long long in, out, bytes = 0;
	FILE *f;

	snprintf(dev, sizeof(dev), "c%d:", i);
	cr_assert_eq(host_enter(&rig->client), 0);
	f = fopen("/proc/thread-self/net/dev", "re");
	cr_assert(f);
	while (fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, dev);

		if (at && sscanf(at + strlen(dev),
				 "%lld %*d %*d %*d %*d %*d %*d %*d %lld", &in, &out) == 2)
			bytes = in + out;
	}
	fclose(f);
	return bytes;
}

/* The paths that carry data: bit i-1 for those of link i, by the kernel of @host. */
static int active_paths(const struct host *host, bool is_server)
{
	struct subflows s = { 0 };
	int mask = 0;

	cr_assert_eq(subflows_read(host, &s), 0);
	for (size_t i = 0; i < s.count; i++) {
		const struct address *a = is_server ? &s.at[i].remote : &s.at[i].local;
		const bool backup =
			is_server ? s.at[i].backup_remote : s.at[i].backup_local;

		if (s.at[i].state == 1 && !backup) /* TCP_ESTABLISHED */
			mask |= 1 << (a->ip.s6_addr[14] - 1);
	}
	subflows_free(&s);
	return mask;
}

enum trouble {
	LINK_DOWN,
	BLACK_HOLE
};

static void make_trouble(const struct rig *rig, enum trouble trouble, bool begins)
{
	struct rig *r = (struct rig *)rig;

	if (trouble == BLACK_HOLE)
		cr_assert_eq(proc_tell(&r->delay, begins ? "-1" : "10"), 0);
	else
		cr_assert_eq(host_ip(&rig->client,
				     begins ? "link set c1 down\n"
					    : "link set c1 up\nroute add default via "
					      "10.0.1.1 dev c1 metric 10\n"),
			     0);
}

/* The client sends over these links only, and so does the server, if @both. */
static void wait_for_paths(const struct rig *rig, int mask, bool both)
{
	cr_assert(WAIT_FOR(active_paths(&rig->client, false) == mask), "%d: %s",
		  active_paths(&rig->client, false), proc_errors(&rig->program));
	cr_assert(!both || WAIT_FOR(active_paths(&rig->server, true) == mask), "%d: %s",
		  active_paths(&rig->server, true), proc_errors(&rig->program));
}

static int wait_for_data(const struct rig *rig, int link)
{
	const long long before = carried(rig, link);
	const int64_t from = now_ms();

	cr_assert(WAIT_FOR(carried(rig, link) > before + MUCH), "%s",
		  proc_errors(&rig->program));
	return now_ms() - from;
}

static void moves_and_returns(const char *pool, const char *verb, enum trouble trouble)
{
	/* A queue of uploads may drop MP_PRIO; then nobody misses it. */
	const bool both = !strcmp(verb, "get");
	struct rig rig;
	int load, moved, back;
	int64_t from;

	NEED_SANDBOX();
	rig_open(&rig, pool, verb);
	cr_assert(WAIT_FOR(joined_count(&rig.server) == 1), "%s",
		  proc_errors(&rig.program));
	wait_for_paths(&rig, 1, both);
	wait_for_data(&rig, 1);
	/* Beside load, an answer may be so late that it counts as none. */
	cr_assert(carried(&rig, 2) < LITTLE ||
			  strstr(proc_errors(&rig.program), "in trouble"),
		  "%lld: %s", carried(&rig, 2), proc_errors(&rig.program));
	make_trouble(&rig, trouble, true);
	moved = wait_for_data(&rig, 2);
	load = machine_load() + 1;
	cr_assert_leq(moved, SOON_MS * load, "after %d ms: %s", moved,
		      proc_errors(&rig.program));
	/* The kernel may have been faster. */
	wait_for_paths(&rig, 2, false);
	make_trouble(&rig, trouble, false);
	from = now_ms();
	wait_for_paths(&rig, 1, both);
	back = now_ms() - from;
	wait_for_data(&rig, 1);
	cr_log_info("%s: moved after %d ms, back after %d", verb, moved, back);
	/* Unless the other one was, beside load, in trouble, too. */
	cr_assert(back >= WELL_MS ||
			  strstr(proc_errors(&rig.program),
				 "10.0.1.2 -> 10.0.1.1: MP_PRIO to the peer: no backup: "
				 "an uplink is in trouble"),
		  "after %d ms: %s", back, proc_errors(&rig.program));
	rig_close(&rig);
}

#define UPLINKS(first, second)                          \
	"[pool]\nendpoint = dev c1 subflow " first "\n" \
	"endpoint = dev c2 subflow " second "\n"
#define HANDOVER UPLINKS("", "") "[policy]\nmode = handover\n"
#define METERED	 UPLINKS("", "metered")

Test(policy, handover_moves_a_download_when_the_link_goes_down)
{
	moves_and_returns(HANDOVER, "get", LINK_DOWN);
}

Test(policy, handover_moves_an_upload_when_the_link_goes_down)
{
	moves_and_returns(HANDOVER, "put", LINK_DOWN);
}

Test(policy, handover_moves_a_download_out_of_a_black_hole)
{
	moves_and_returns(HANDOVER, "get", BLACK_HOLE);
}

Test(policy, handover_moves_an_upload_out_of_a_black_hole)
{
	moves_and_returns(HANDOVER, "put", BLACK_HOLE);
}

Test(policy, metered_uplink_carries_nothing_until_it_is_needed)
{
	moves_and_returns(METERED, "get", BLACK_HOLE);
}

#define QUOTA 10000000

/* The first link is down meanwhile; a second program has nothing left. */
static void ends_at_its_quota(const char *verb)
{
	struct rig rig;
	long long used;

	NEED_SANDBOX();
	cr_assert_eq(metered_mount(), 0);
	rig_open(&rig, METERED "[policy]\nquota = 10M/month\n", verb);
	cr_assert(WAIT_FOR(joined_count(&rig.server) == 1), "%s",
		  proc_errors(&rig.program));
	make_trouble(&rig, LINK_DOWN, true);
	wait_for_data(&rig, 2);
	cr_assert(WAIT_FOR(strstr(proc_errors(&rig.program), "the quota is used up")),
		  "%s", proc_errors(&rig.program));
	make_trouble(&rig, LINK_DOWN, false);
	wait_for_data(&rig, 1);
	used = carried(&rig, 2); /* with what was on its way */
	cr_log_info("%s: a quota of %d bytes ended after %lld", verb, QUOTA, used);
	cr_assert(used > QUOTA && used < 2 * QUOTA, "%lld", used);
	proc_end(&rig.program);
	start_program(&rig,
		      (const char *[]){ rig.app, verb, "10.0.1.1", PORT, SIZE, NULL });
	cr_assert_eq(proc_tell(&rig.program, ""), 0);
	wait_for_data(&rig, 1);
	cr_assert_lt(carried(&rig, 2), used + LITTLE, "%s", proc_errors(&rig.program));
	cr_assert_not(strstr(proc_errors(&rig.program), "from 10.0.2.2"), "%s",
		      proc_errors(&rig.program));
	rig_close(&rig);
}

Test(policy, quota_ends_a_download_over_the_metered_uplink)
{
	ends_at_its_quota("get");
}

Test(policy, quota_ends_an_upload_over_the_metered_uplink)
{
	ends_at_its_quota("put");
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of the next @n answers, in ms */
static double median_answer(const struct rig *rig, int n)
{
	double answers[4096];
	char *text = NULL, *line, *save;
	int all = 0, from = -1;

	do {
		nap_ms(10);
		free(text);
		text = proc_output(&rig->program);
		all = 0;
		for (line = strtok_r(text, "\n", &save); line && all < 4096;
		     line = strtok_r(NULL, "\n", &save))
			answers[all++] = atof(line);
		from = from < 0 ? all : from;
		cr_assert_lt(all, 4096);
	} while (all < from + n);
	free(text);
	qsort(answers + from, n, sizeof(*answers), by_value);
	return answers[from + n / 2];
}

Test(policy, interactive_keeps_to_the_faster_uplink)
{
	struct rig rig;
	double before, slow, after;

	NEED_SANDBOX();
	rig_open(&rig, UPLINKS("", "") "[policy]\nmode = interactive\n", "ask");
	cr_assert(WAIT_FOR(joined_count(&rig.server) == 1), "%s",
		  proc_errors(&rig.program));
	wait_for_paths(&rig, 1, true);
	before = median_answer(&rig, 20);
	cr_assert_eq(proc_tell(&rig.delay, "200"), 0);
	slow = now_ms();
	wait_for_paths(&rig, 2, false);
	slow = now_ms() - slow;
	after = median_answer(&rig, 20);
	cr_log_info("20 ms: %.1f; then 400 and 60 ms: moved after %.0f ms, %.1f", before,
		    slow, after);
	cr_assert_lt(before, 100, "%.1f ms: %s", before, proc_errors(&rig.program));
	cr_assert_lt(after, 200, "%.1f ms: %s", after, proc_errors(&rig.program));
	rig_close(&rig);
}

/*
 * An uplink may be left, and used again, after 0, 5, 15, ... s: two MP_PRIO each. If the
 * one in reserve still carries data, they are repeated after 1, 3, 7, ... s.
 */
static int most_prios(int64_t ms, bool repeats)
{
	int64_t hold = HOLD_MS, at = 0, more;
	int n = 0;

	for (; at <= ms; at += hold, hold *= 2) {
		n += 4;
		for (more = 1000; repeats && more <= hold; more = 2 * more + 1000)
			n += 2;
	}
	return n;
}

/* The first uplink is @worse, a line for `delay`, and well again, every @ms. */
static void keeps_its_uplink(const char *pool, const char *verb, const char *worse,
			     int ms)
{
	int64_t from, took, before, sent;
	struct rig rig;
	bool repeats;

	NEED_SANDBOX();
	rig_open(&rig, pool, verb);
	cr_assert(WAIT_FOR(joined_count(&rig.server) == 1), "%s",
		  proc_errors(&rig.program));
	wait_for_paths(&rig, 1, false);
	before = counter(&rig.client, "MPPrioTx");
	from = now_ms();
	do {
		cr_assert_eq(proc_tell(&rig.delay, worse), 0);
		nap_ms(ms);
		cr_assert_eq(proc_tell(&rig.delay, "10"), 0);
		nap_ms(ms);
		took = now_ms() - from;
		sent = counter(&rig.client, "MPPrioTx") - before;
	} while (took < EDGE_MS || (!sent && took < EFFECT_MS));
	cr_log_info("%s: %lld MP_PRIO in %lld ms", verb, (long long)sent,
		    (long long)took);
	cr_assert_gt(sent, 0, "%s", proc_errors(&rig.program));
	/* Beside load, the other uplink may be in trouble, too. */
	repeats = !strcmp(verb, "put") || strstr(proc_errors(&rig.program), "in trouble");
	cr_assert_leq(sent, most_prios(took, repeats), "%lld in %lld ms: %s",
		      (long long)sent, (long long)took, proc_errors(&rig.program));
	rig_close(&rig);
}

Test(policy, interactive_does_not_follow_each_change_of_the_latency)
{
	keeps_its_uplink(UPLINKS("", "") "[policy]\nmode = interactive\n", "ask", "200",
			 1500);
}

Test(policy, handover_does_not_follow_each_hole)
{
	keeps_its_uplink(HANDOVER, "put", "-1", 500);
}
