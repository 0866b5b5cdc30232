// SPDX-License-Identifier: MIT
/*
 * guard.c - what programs pay for the library may not rise unnoticed
 *
 * Compared with tests/guard/figures: own instructions, those of our code and not libc's
 * or the dynamic linker's, which depend on the machine; system calls besides those of the
 * program; allocations.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../bench/bench.h"
#include "../bench/hosts.h"
#include "../bench/life.h"
#include "skip.h"
#include "until.h"

#define DIR	 BENCH_DIR
#define OURS	 DIR "/libmptcpaddr.so"
#define LIFE	 DIR "/life"
#define POOL	 DIR "/pool.conf"
#define CONNECTS 8

/* Environments, of one size */
#define PRELOAD	   "LD_PRELOAD=" OURS
#define NO_PRELOAD "NO_PRELOAD=" OURS
#define HOME	   "HOME=" DIR "/none"
#define CONFIG	   "MPTCPADDR_CONFIG=" POOL

#define PAIRS	   20
#define LIVES	   100
#define OUT	   "/run/bench/callgrind.out"
#define OUT_OPTION "--callgrind-out-file=/run/bench/callgrind.out"
#define LONG_MS	   60000
#define STR_(x)	   #x
#define STR(x)	   STR_(x)

static const char life_path[] = LIFE, pool_path[] = POOL, lives[] = STR(LIVES);
static const char broker_conf[] = DIR "/broker.conf";

/* The build that the figures of instructions are from. */
#if GUARD_EXACT && defined(__x86_64__) && defined(__GLIBC__) && __GNUC__ == 12 && \
	!defined(__clang__)
#define EXACT true
#else
#define EXACT false
#endif

static double figure_of(const char *name)
{
	char path[PATH_MAX], line[256], found[128];
	double value = NAN, one;
	FILE *f = fopen(built("tests/guard.figures", path, sizeof(path)), "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%127s %lf", found, &one) == 2 && !strcmp(found, name))
			value = one;
	if (f)
		fclose(f);
	return value;
}

/* @more: by how much it may rise, as a factor */
static void compare(const char *name, double value, double more)
{
	const char *update = getenv("GUARD_UPDATE");
	const double figure = figure_of(name);
	FILE *f;

	if (update) {
		f = fopen(update, "ae");
		cr_assert(f);
		fprintf(f, "%s %.15g\n", name, value);
		fclose(f);
		return;
	}
	cr_expect(value < figure * more || value == figure,
		  "%s: %g, tests/guard/figures has %g; if this rise is worth it, run "
		  "\"make guard-update\"",
		  name, value, figure);
}

static void compare_exactly(const char *name, double value)
{
	compare(name, value, 1);
}

static void compare_instructions(const char *name, double value)
{
	if (EXACT)
		compare(name, value, 1.02);
}

static void copy(const char *name, const char *to)
{
	char from[PATH_MAX];
	const char *const argv[] = { "cp", built(name, from, sizeof(from)), to, NULL };

	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
}

/* Under names of the same length in each build. */
static void prepare(void)
{
	cr_assert_eq(mkdir(DIR, 0755), 0);
	copy("libmptcpaddr.so", OURS);
	copy("libmptcpaddr-pm.so", DIR "/libmptcpaddr-pm.so");
	cr_assert_eq(put_file(POOL, LIFE_POOL), 0);
	mount("tmpfs", "/etc/mptcpaddr", "tmpfs", 0, NULL);
}

/* Without the library, only system calls are counted: of the program itself. */
static void count(const char *const argv[], bool ours, const char *const env[],
		  const struct host *host, int from, struct cost ret[COST_PHASES])
{
	const struct cost_run run = { .argv = argv,
				      .env = env,
				      .object = ours ? OURS : NULL,
				      .host = host,
				      .from = ours && EXACT ? from : COST_PHASES };

	cr_assert_eq(count_cost(&run, ret), 0);
}

/* Phases of prog/sockets.c: 0 the exec, 3 the first pair, 4 the others */
static void check_sockets(const char *with, const char *config, int from)
{
	static const struct {
		const char *name;
		int phase, n;
	} rows[] = { { "exec", 0, 1 }, { "first-socket", 3, 1 }, { "socket", 4, PAIRS } };
	char path[PATH_MAX], name[128];
	const char *const argv[] = { built("tests/bench-sockets", path, sizeof(path)),
				     STR(PAIRS), NULL };
	struct cost ours[COST_PHASES], bare[COST_PHASES];
	const struct cost *cost;

	count(argv, true, (const char *const[]){ PRELOAD, HOME, config, NULL }, NULL,
	      from, ours);
	count(argv, false, (const char *const[]){ NO_PRELOAD, HOME, config, NULL }, NULL,
	      from, bare);
	for (int i = 0; i < 3; i++) {
		if (rows[i].phase < from)
			continue;
		cost = &ours[rows[i].phase];
		snprintf(name, sizeof(name), "%s.%s.instructions", rows[i].name, with);
		compare_instructions(name, cost->own / rows[i].n);
		snprintf(name, sizeof(name), "%s.%s.system-calls", rows[i].name, with);
		compare_exactly(name, (cost->syscalls - bare[rows[i].phase].syscalls) /
					      rows[i].n);
	}
}

Test(guard, exec_and_socket_cost_no_more)
{
	NEED_SANDBOX();
	prepare();
	check_sockets("without-pool", "MPTCPADDR_CONFIG=" DIR "/none.conf", 0);
	check_sockets("with-pool", CONFIG, 1);
}

/* The cheapest but the first: a manager that is slow may have to be woken. */
static struct cost cheapest(const struct cost cost[COST_PHASES])
{
	struct cost least = cost[3];

	for (int i = 3; i < 2 * CONNECTS; i += 2) {
		least.own = fmin(least.own, cost[i].own);
		least.syscalls = fmin(least.syscalls, cost[i].syscalls);
	}
	return least;
}

static void check_connects(struct hosts *h, const char *with)
{
	static const char *const marks = "CONNECTS_CLOCK=marks";
	char path[PATH_MAX], name[128];
	const char *argv[] = { built("tests/bench-connects", path, sizeof(path)),
			       "tcp",
			       "10.0.1.1",
			       "4321",
			       STR(CONNECTS),
			       NULL };
	struct cost all[COST_PHASES], ours, bare;

	count(argv, true, (const char *const[]){ PRELOAD, HOME, CONFIG, marks, NULL },
	      &h->world.client, 2, all);
	ours = cheapest(all);
	argv[1] = "mptcp";
	count(argv, false, (const char *const[]){ NO_PRELOAD, HOME, CONFIG, marks, NULL },
	      &h->world.client, 2, all);
	bare = cheapest(all);
	snprintf(name, sizeof(name), "connect.%s.instructions", with);
	compare_instructions(name, ours.own);
	snprintf(name, sizeof(name), "connect.%s.system-calls", with);
	compare_exactly(name, ours.syscalls - bare.syscalls);
}

Test(guard, connect_costs_no_more)
{
	struct hosts h;

	NEED_SANDBOX();
	prepare();
	cr_assert_eq(hosts_open(&h), 0);
	cr_assert_eq(host_path_manager(&h.world.client, PM_USERSPACE), 0);
	check_connects(&h, "with-manager");
	hosts_close(&h);
}

Test(guard, connect_with_a_broker_costs_no_more)
{
	struct proc broker;
	struct hosts h;
	char path[PATH_MAX];
	const char *const argv[] = { built("mptcpaddrd", path, sizeof(path)),
				     "-c",
				     broker_conf,
				     "-s",
				     DIR,
				     NULL };

	NEED_SANDBOX();
	prepare();
	cr_assert_eq(hosts_open(&h), 0);
	cr_assert_eq(host_path_manager(&h.world.client, PM_USERSPACE), 0);
	cr_assert_eq(put_file(broker_conf, "[broker]\n"), 0);
	cr_assert_eq(proc_start(&broker, &h.world.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(strstr(proc_errors(&broker), "serving programs")));
	check_connects(&h, "with-broker");
	proc_end(&broker);
	hosts_close(&h);
}

/* The instructions of callgrind's @out that are @object's own; no context switches. */
static double own_instructions(const char *out, const char *object)
{
	static const char program[] =
		"match($0, /^c?ob=\\([0-9]+\\)/) {"
		"	id = substr($0, index($0, \"(\"), RLENGTH - index($0, \"(\") + "
		"1);"
		"	if (NF > 1) name[id] = $2;"
		"	if (/^ob/) own = name[id] == object"
		"}"
		"/^calls=/ { getline; next }" /* what follows is the callee's */
		"/^[0-9+*-]/ && own { n += $NF }"
		"END { print n }";
	char assign[PATH_MAX];
	const char *const argv[] = { "awk", "-v", assign, program, out, NULL };
	struct proc awk;
	double n;
	char *said;

	snprintf(assign, sizeof(assign), "object=%s", object);
	cr_assert_eq(proc_start(&awk, NULL, argv, NULL), 0);
	cr_assert_eq(proc_wait(&awk, EFFECT_MS), 0);
	said = proc_output(&awk);
	n = atof(said);
	free(said);
	proc_end(&awk);
	return n;
}

static void check_engine(const char *family)
{
	const char *const argv[] = { "valgrind",
				     "-q",
				     "--tool=callgrind",
				     "--toggle-collect=life_connect",
				     OUT_OPTION,
				     life_path,
				     pool_path,
				     lives,
				     family,
				     NULL };
	struct proc life;
	char name[64], *said;

	cr_assert_eq(proc_start(&life, NULL, argv, NULL), 0);
	cr_assert_eq(proc_wait(&life, LONG_MS), 0);
	said = proc_output(&life);
	snprintf(name, sizeof(name), "engine.ipv%s.allocations", family);
	compare_exactly(name, atof(said));
	snprintf(name, sizeof(name), "engine.ipv%s.instructions", family);
	compare_instructions(name, own_instructions(OUT, LIFE) / LIVES);
	free(said);
	proc_end(&life);
}

Test(guard, a_connection_in_the_engine_costs_no_more)
{
	NEED_SANDBOX();
	prepare();
	copy("tests/guard-life", LIFE);
	check_engine("4");
	check_engine("6");
}
