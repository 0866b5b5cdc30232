// SPDX-License-Identifier: MIT
/*
 * faults.c - programs keep their results whatever fails in the manager or the broker
 *
 * A seed is a program under the library with the faults of prog/inject.c, and with the
 * broker also signals at random moments. The program must end, with status 0 and the
 * bytes that it sent; no subflow may break the rules of the pool; and once the faults
 * have ended, a program that runs without any gets its paths.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "proc.h"
#include "shim.h"
#include "skip.h"
#include "subflow.h"
#include "until.h"
#include "world.h"

#define PORT	   "8080"
#define PROGRAMS   8	 /* at a time */
#define PARTS	   16	 /* tests that share the seeds of a mode */
#define DIRECT	   200	 /* seeds, if the environment says nothing */
#define BROKER_PER 5	 /* a broker's seed takes so many times as long */
#define END_MS	   30000 /* without an end by then, a program hangs */
#define CHAOS_MS   150	 /* the broker's faults end then */

struct stage {
	struct world world;
	struct proc server, broker;
	char pool[96], dir[64], preload[2 * PATH_MAX];
	uint64_t state; /* of draw() */
	unsigned int seed;
	int64_t chaos_ms; /* until then the broker has faults */
};

static uint32_t draw(struct stage *s, uint32_t n)
{
	s->state = s->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->state >> 33) % n;
}

static unsigned int number_from(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text && *text ? (unsigned int)strtoul(text, NULL, 10) : otherwise;
}

static void stage_open(struct stage *s)
{
	static const char *const announced[] = { "10.0.2.1", "10.0.3.1" };
	char path[PATH_MAX], other[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				     PORT, NULL };
	FILE *f;
	int i;

	*s = (struct stage){ .seed = 0 };
	cr_assert_eq(world_open(&s->world, 3), 0);
	cr_assert_eq(host_path_manager(&s->world.server, PM_KERNEL), 0);
	cr_assert_eq(limits_set(&s->world.server, 8, 0), 0);
	for (i = 0; i < 2; i++) {
		const struct endpoint_spec e = { .addr = announced[i],
						 .flags = EP_SIGNAL };

		cr_assert_eq(endpoint_add(&s->world.server, &e), 0);
	}
	cr_assert_eq(host_path_manager(&s->world.client, PM_USERSPACE), 0);
	cr_assert_eq(proc_start(&s->server, &s->world.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&s->server, "listening")));
	snprintf(s->dir, sizeof(s->dir), "/run/faults-%d", getpid());
	cr_assert_eq(mkdir(s->dir, 0755), 0);
	snprintf(s->pool, sizeof(s->pool), "%s/pool.conf", s->dir);
	f = fopen(s->pool, "we");
	cr_assert(f &&
		  fputs("[pool]\nendpoint = 10.0.2.2 laminar\n"
			"endpoint = 10.0.3.2 laminar\n",
			f) >= 0 &&
		  fclose(f) == 0);
	snprintf(s->preload, sizeof(s->preload), "LD_PRELOAD=%s %s",
		 built("libmptcpaddr.so", path, sizeof(path)),
		 built("tests/faults-inject.so", other, sizeof(other)));
}

static void stage_close(struct stage *s)
{
	proc_end(&s->broker);
	proc_end(&s->server);
	world_close(&s->world);
}

/* In the client's name: what it printed, and where it is. */
static void report(struct stage *s, const struct proc *p, const char *what)
{
	char command[128], *out = proc_output(p), *err = proc_errors(p);

	cr_log_error("seed %u: %s: %s%s", s->seed, what, out, err);
	if (p->pid > 0) {
		snprintf(command, sizeof(command),
			 "cd /proc/%d/task && for t in *; do cat $t/comm $t/wchan; echo; "
			 "done >&2; ss -tMneim >&2",
			 p->pid);
		proc_run(&s->world.client, NULL,
			 (const char *[]){ "sh", "-c", command, NULL });
	}
	free(out);
	free(err);
}

/* Start the client of @seed; @faults: in its manager; @hold: or NULL. */
static void client_start(struct stage *s, struct proc *p, unsigned int seed, bool faults,
			 const char *hold)
{
	char path[PATH_MAX], number[16], fault[32], config[128], log[128];
	const char *const argv[] = { built("tests/faults-client", path, sizeof(path)),
				     "10.0.1.1",
				     PORT,
				     number,
				     hold,
				     NULL };
	const char *env[] = { s->preload, config, log, faults ? fault : "FAULTS=", NULL };

	snprintf(number, sizeof(number), "%u", seed);
	snprintf(fault, sizeof(fault), "FAULTS=%u:%lld", seed,
		 (long long)now_ms() + (hold ? CHAOS_MS : END_MS));
	snprintf(config, sizeof(config), "MPTCPADDR_CONFIG=%s", s->pool);
	snprintf(log, sizeof(log), "MPTCPADDR_LOG=debug:%s/%u.log", s->dir, seed);
	cr_assert_eq(proc_start(p, &s->world.client, argv, env), 0);
}

static bool is_live(const struct subflow *f)
{
	return f->state == TCP_ESTABLISHED || f->state == TCP_SYN_SENT;
}

/* Two live subflows of one connection, of which one at least is a join. */
static bool is_pair_right(const struct subflow *a, const struct subflow *b)
{
	if (address_same_ip(&a->local, &b->local))
		return false;				 /* laminar: each address once */
	return !address_same_ip(&a->remote, &b->remote); /* one for each announcement */
}

static bool is_in_pool(const struct subflow *f)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(&f->local, text);
	return !strcmp(text, "10.0.2.2") || !strcmp(text, "10.0.3.2");
}

static void report_pair(const struct subflow *f)
{
	char local[ADDRESS_TEXT_MAX], remote[ADDRESS_TEXT_MAX];

	address_text(&f->local, local);
	address_text(&f->remote, remote);
	cr_log_error("token 0x%08x: %s:%u-%s:%u, state %u, id %u", f->token, local,
		     f->local.port, remote, f->remote.port, f->state, f->local_id);
}

/* What managers did that logged @text; the names of the files are seeds. */
static void show_logs(const struct stage *s, const char *text)
{
	char command[256], line[512];
	FILE *f;

	snprintf(command, sizeof(command), "cd %s && grep . $(grep -l '%s' *.log)",
		 s->dir, text);
	f = popen(command, "re");
	while (f && fgets(line, sizeof(line), f))
		cr_log_error("%.*s", (int)strcspn(line, "\n"), line);
	if (f)
		pclose(f);
}

static void remove_logs(const struct stage *s)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -f %s/*.log", s->dir);
	proc_run(NULL, NULL, (const char *[]){ "sh", "-c", command, NULL });
}

/* The rules of the pool, for all connections of the client's host. */
static bool rules_hold(const struct stage *s)
{
	struct subflows all = { 0 };
	char text[16];
	bool right = subflows_read(&s->world.client, &all) == 0;
	size_t i, k;

	for (i = 0; i < all.count && right; i++) {
		if (!is_live(&all.at[i]) || !all.at[i].joined)
			continue;
		right = is_in_pool(&all.at[i]);
		for (k = 0; k < all.count && right; k++)
			right = k == i || all.at[k].token != all.at[i].token ||
				!is_live(&all.at[k]) ||
				is_pair_right(&all.at[i], &all.at[k]);
		for (k = 0; k < all.count && !right; k++)
			if (all.at[k].token == all.at[i].token)
				report_pair(&all.at[k]);
		if (!right)
			(snprintf(text, sizeof(text), "0x%08x", all.at[i].token),
			 show_logs(s, text));
	}
	subflows_free(&all);
	return right;
}

/* A moment in a seed's life. Return: whether the program has ended, @killed or well. */
static bool client_ended(struct stage *s, struct proc *p, int64_t since_ms, bool killed)
{
	const int r = proc_wait(p, 0);
	char path[96];

	if (r == -ETIMEDOUT && now_ms() - since_ms > END_MS * (int64_t)patience()) {
		report(s, p, "hangs");
		cr_assert_fail("seed %u hangs", s->seed);
	}
	if (r == -ETIMEDOUT)
		return false;
	if (r != 0 && !killed) {
		report(s, p, "fails");
		cr_assert_fail("seed %u: status %d", s->seed, r);
	}
	proc_end(p);
	snprintf(path, sizeof(path), "%s/%u.log", s->dir, s->seed);
	unlink(path);
	return true;
}

/* Faults in the managers of several programs, and the path manager's sysctl changes. */
static void run_direct(unsigned int part)
{
	const unsigned int n = number_from("SEEDS", DIRECT),
			   first = number_from("SEED", 1);
	unsigned int seed = first + part, running = 0, seeds[PROGRAMS], i;
	struct proc procs[PROGRAMS] = { 0 };
	int64_t since[PROGRAMS];
	struct stage s;

	NEED_SANDBOX();
	stage_open(&s);
	s.state = first + part;
	while (seed < first + n || running) {
		for (i = 0; i < PROGRAMS; i++) {
			s.seed = seeds[i];
			if (procs[i].pid > 0 &&
			    client_ended(&s, &procs[i], since[i], false))
				running--;
			if (procs[i].pid > 0 || seed >= first + n)
				continue;
			client_start(&s, &procs[i], seeds[i] = seed, true, NULL);
			since[i] = now_ms();
			seed += PARTS;
			running++;
		}
		if (!draw(&s, 50))
			host_path_manager(&s.world.client,
					  draw(&s, 4) ? PM_USERSPACE : PM_KERNEL);
		cr_assert(rules_hold(&s), "a rule is broken at a seed before %u", seed);
		nap_ms(3);
	}
	stage_close(&s);
}

/*
 * Whether the log excuses that there are no paths: an ADD_ADDR that was lost, or had no
 * memory ("too many addresses"), cannot be asked for.
 */
static bool is_excused(const struct stage *s, unsigned int seed)
{
	static const char *const reasons[] = { "no pool", "stopping",
					       "lost kernel events", "too many" };
	char path[96], text[8192] = "";
	bool excused = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%u.log", s->dir, seed);
	f = fopen(path, "re");
	if (f)
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	if (f)
		fclose(f);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		excused |= strstr(text, reasons[i]) != NULL;
	return excused;
}

/* Return: whether a held connection has both paths, or may go without. */
static bool has_recovered(struct stage *s, const struct proc *p, unsigned int seed)
{
	char *said = proc_output(p);
	struct subflows all = { 0 };
	unsigned int token = 0, joins = 0;
	size_t i;

	if (sscanf(said, "token %x", &token) == 1 &&
	    subflows_read(&s->world.client, &all) == 0)
		for (i = 0; i < all.count; i++)
			joins += all.at[i].token == token && all.at[i].joined &&
				 all.at[i].state == TCP_ESTABLISHED;
	free(said);
	subflows_free(&all);
	return joins == 2 || (token && is_excused(s, seed));
}

#define HELD 16 /* at a time */

Test(faults, a_manager_recovers_from_them)
{
	const unsigned int n = number_from("SEEDS", DIRECT) / BROKER_PER,
			   first = number_from("SEED", 1);
	struct proc procs[HELD];
	struct stage s;
	unsigned int i;

	NEED_SANDBOX();
	stage_open(&s);
	for (s.seed = first; s.seed < first + n; s.seed += HELD) {
		for (i = 0; i < HELD; i++)
			client_start(&s, &procs[i], s.seed + i, true, "hold");
		for (i = 0; i < HELD; i++) {
			if (!WAIT_UNTIL(has_recovered(&s, &procs[i], s.seed + i),
					END_MS)) {
				s.seed += i;
				report(&s, &procs[i], "has not its paths");
				show_logs(&s, ".");
				cr_assert_fail("seed %u has not its paths", s.seed);
			}
			proc_eof(&procs[i]);
			cr_assert_eq(proc_wait(&procs[i], END_MS), 0, "seed %u",
				     s.seed + i);
			proc_end(&procs[i]);
		}
		cr_assert(rules_hold(&s));
		remove_logs(&s);
	}
	stage_close(&s);
}

/* With the faults of @seed, or 0: none. Return: false: it could not start. */
static bool broker_start(struct stage *s, unsigned int seed)
{
	char path[PATH_MAX], config[96], fault[48], preload[PATH_MAX + 16];
	const char *const argv[] = {
		built("mptcpaddrd", path, sizeof(path)), "-c", config, "-s", s->dir, NULL
	};
	const char *env[] = { "FAULTS_ALL=1", fault, preload, NULL };
	char other[PATH_MAX];
	bool serves;
	FILE *f;
	int r;

	snprintf(config, sizeof(config), "%s/broker.conf", s->dir);
	f = fopen(config, "we");
	cr_assert(f && fputs("[broker]\nlog = debug\n", f) >= 0 && fclose(f) == 0);
	s->chaos_ms = now_ms() + (seed ? CHAOS_MS : 0);
	snprintf(fault, sizeof(fault), "FAULTS=%u:%lld", seed, (long long)s->chaos_ms);
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
		 built("tests/faults-inject.so", other, sizeof(other)));
	proc_end(&s->broker);
	cr_assert_eq(proc_start(&s->broker, &s->world.client, argv, seed ? env : NULL),
		     0);
	serves = WAIT_FOR(({
			 char *said = proc_errors(&s->broker);
			 bool yes = strstr(said, "serving programs");

			 free(said);
			 yes || proc_wait(&s->broker, 0) != -ETIMEDOUT;
		 })) &&
		 s->broker.pid > 0;
	r = proc_wait(&s->broker, 0);
	if (r != -ETIMEDOUT && (r != 1 || !seed)) {
		report(s, &s->broker, "the broker does not start");
		cr_assert_fail("seed %u: the broker's status is %d", s->seed, r);
	}
	return serves;
}

/* Like systemd. */
static void broker_restart(struct stage *s)
{
	if (!broker_start(s, s->seed + draw(s, 1000)))
		broker_start(s, 0);
}

static void broker_must_run(struct stage *s)
{
	const int r = proc_wait(&s->broker, 0);

	if (r == -ETIMEDOUT)
		return;
	report(s, &s->broker, "the broker has ended");
	cr_assert_fail("seed %u: the broker ended with %d", s->seed, r);
}

static void stop_for_a_while(struct stage *s, const struct proc *p)
{
	if (p->pid <= 0)
		return;
	kill(p->pid, SIGSTOP);
	nap_ms(1 + (int)draw(s, 30));
	kill(p->pid, SIGCONT);
}

/* Something happens to the broker or a program. */
static void disturb(struct stage *s, struct proc *program, bool *killed)
{
	switch (draw(s, 40)) {
	case 0:
		stop_for_a_while(s, &s->broker);
		break;
	case 1:
		kill(s->broker.pid, SIGKILL);
		proc_wait(&s->broker, END_MS);
		broker_restart(s);
		break;
	case 2:
		kill(s->broker.pid, SIGHUP);
		break;
	case 3:
		host_path_manager(&s->world.client,
				  draw(s, 2) ? PM_KERNEL : PM_USERSPACE);
		break;
	case 4:
		stop_for_a_while(s, program);
		break;
	case 5:
		*killed = program->pid > 0;
		if (*killed)
			kill(program->pid, SIGKILL);
		break;
	}
}

#define CLIENTS 3

/* Return: when they have all ended. */
static void run_clients(struct stage *s)
{
	struct proc procs[CLIENTS] = { 0 };
	bool killed[CLIENTS] = { false };
	const int64_t since = now_ms();
	unsigned int running = CLIENTS, i;

	for (i = 0; i < CLIENTS; i++)
		client_start(s, &procs[i], s->seed * CLIENTS + i, false, NULL);
	while (running) {
		for (i = 0; i < CLIENTS; i++)
			if (procs[i].pid > 0 &&
			    client_ended(s, &procs[i], since, killed[i]))
				running--;
		i = draw(s, CLIENTS);
		disturb(s, &procs[i], &killed[i]);
		broker_must_run(s);
		if (!rules_hold(s)) {
			report(s, &s->broker, "a rule is broken");
			cr_assert_fail("seed %u: a rule is broken", s->seed);
		}
		nap_ms(2);
	}
}

/* Without faults, a program has its paths. */
static void check_recovery(struct stage *s)
{
	char path[PATH_MAX], config[128];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "10.0.1.1", PORT, NULL };
	const char *env[] = { s->preload, config, NULL };
	const int64_t left = s->chaos_ms - now_ms();
	struct proc p;

	host_path_manager(&s->world.client, PM_USERSPACE);
	if (left >= 0)
		nap_ms((int)left + 1);
	snprintf(config, sizeof(config), "MPTCPADDR_CONFIG=%s", s->pool);
	cr_assert_eq(proc_start(&p, &s->world.client, argv, env), 0);
	if (!WAIT_UNTIL(joined_count(&s->world.client) == 2, END_MS)) {
		report(s, &s->broker, "a later program has no paths");
		report(s, &p, "that program");
		cr_assert_fail("seed %u: %d joins", s->seed,
			       joined_count(&s->world.client));
	}
	proc_eof(&p);
	cr_assert_eq(proc_wait(&p, END_MS), 0);
	proc_end(&p);
}

static void run_broker(unsigned int part)
{
	const unsigned int first = number_from("SEED", 1);
	const unsigned int n =
		(number_from("SEEDS", DIRECT) + BROKER_PER - 1) / BROKER_PER;
	struct stage s;

	NEED_SANDBOX();
	cr_assert_eq(setenv("MPTCPADDR_BACKEND", "broker", 1), 0);
	stage_open(&s);
	for (s.seed = first + part; s.seed < first + n; s.seed += PARTS) {
		s.state = s.seed;
		if (!broker_start(&s, s.seed))
			broker_start(&s, 0);
		run_clients(&s);
		check_recovery(&s);
		kill(s.broker.pid, SIGTERM);
		cr_assert_eq(proc_wait(&s.broker, END_MS), 0, "seed %u: the broker's end",
			     s.seed);
	}
	stage_close(&s);
}

/* They end, with 0 or 1, whatever fails in them. */
Test(faults, of_tools_do_not_hang_them)
{
	const char *const tools[][3] = { { "mptcpinfo" },
					 { "mptcpinfo", "--json" },
					 { "mptcpaddr", "doctor" },
					 { "mptcpaddr", "endpoint" } };
	const unsigned int n = number_from("SEEDS", DIRECT) / BROKER_PER,
			   first = number_from("SEED", 1);
	char path[PATH_MAX], fault[32];
	struct stage s;
	struct proc p;
	int r;

	NEED_SANDBOX();
	stage_open(&s);
	for (s.seed = first; s.seed < first + n; s.seed++) {
		const char *const *tool = tools[s.seed % 4];

		snprintf(fault, sizeof(fault), "FAULTS=%u", s.seed);
		built(tool[0], path, sizeof(path));
		cr_assert_eq(proc_start(&p, &s.world.client,
					(const char *[]){ path, tool[1], NULL },
					(const char *[]){ s.preload, "FAULTS_ALL=1",
							  fault, NULL }),
			     0);
		r = proc_wait(&p, END_MS * patience());
		if (r != 0 && r != 1)
			report(&s, &p, tool[0]);
		cr_assert(r == 0 || r == 1, "seed %u: %s: %d", s.seed, tool[0], r);
		proc_end(&p);
	}
	stage_close(&s);
}

#define TESTS_OF(part)                                     \
	Test(faults, of_a_manager_are_not_noticed_##part)  \
	{                                                  \
		run_direct(part);                          \
	}                                                  \
	Test(faults, of_the_broker_are_not_noticed_##part) \
	{                                                  \
		run_broker(part);                          \
	}

TESTS_OF(0)
TESTS_OF(1)
TESTS_OF(2)
TESTS_OF(3)
TESTS_OF(4)
TESTS_OF(5)
TESTS_OF(6)
TESTS_OF(7)
TESTS_OF(8)
TESTS_OF(9)
TESTS_OF(10)
TESTS_OF(11)
TESTS_OF(12)
TESTS_OF(13)
TESTS_OF(14)
TESTS_OF(15)
