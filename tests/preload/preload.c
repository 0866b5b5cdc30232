// SPDX-License-Identifier: MIT
/*
 * preload.c - run a program with and without the library, and compare the results
 */
#include "preload.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"
#include "endpoint.h"

#define ENV_MAX 32

static const char *program_file(const char *name, char path[PATH_MAX])
{
	char file[128];

	snprintf(file, sizeof(file), "tests/programs/%s", name);
	return built(file, path, PATH_MAX);
}

const char *program_path(const char *name)
{
	static char paths[4][PATH_MAX];
	static int next;

	return program_file(name, paths[next++ % 4]);
}

void put_file(const char *path, const char *text, unsigned int mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "we");
	cr_assert(f, "%s: %s", path, strerror(errno));
	fputs(text, f);
	fclose(f);
	cr_assert_eq(chmod(path, mode), 0);
}

char *get_file(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = strdup("");
	}
	fclose(f);
	return text;
}

void lab_pool(struct lab *lab, const char *text)
{
	put_file(lab->pool, text, 0644);
}

static void open_hosts(struct lab *lab)
{
	struct world *w = &lab->world;

	cr_assert_eq(world_open(w, 3), 0);
	cr_assert_eq(host_path_manager(&w->server, PM_KERNEL), 0);
	cr_assert_eq(host_path_manager(&w->client, PM_USERSPACE), 0);
	cr_assert_eq(limits_set(&w->server, 8, 0), 0);
	cr_assert_eq(host_sysctl(&w->server, "net/ipv4/tcp_fastopen", "3"), 0);
	cr_assert_eq(host_sysctl(&w->client, "net/ipv4/tcp_fastopen", "3"), 0);
	/* Other addresses are unreachable at once. */
	cr_assert_eq(host_ip(&w->client, "route add unreachable default metric 1\n"), 0);
	cr_assert_eq(host_nft(&w->server,
			      "table inet t { chain in { type filter hook input priority "
			      "0; tcp dport 7777 drop; }; }"),
		     0);
}

/* Each lab has its own /run: some tests open two. */
static void open_run(void)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0, "%s", strerror(errno));
	cr_assert_eq(mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0, "%s",
		     strerror(errno));
}

void lab_open(struct lab *lab)
{
	const char *argv[] = { NULL, "-f", LAB_PORT, NULL };
	char path[PATH_MAX];

	NEED_SANDBOX();
	*lab = (struct lab){ .wire = { .fd = -1 } };
	built("libmptcpaddr.so", lab->lib, sizeof(lab->lib));
	cr_assert_eq(access(lab->lib, R_OK), 0, "%s: %s", lab->lib, strerror(errno));
	open_run();
	open_hosts(lab);
	strcpy(lab->pool, "/run/pool.conf");
	lab_pool(lab,
		 "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n");
	strcpy(lab->home, "/run/home");
	cr_assert_eq(mkdir(lab->home, 0755), 0);
	argv[0] = built("tests/apps/tcpserver", path, sizeof(path));
	cr_assert_eq(proc_start(&lab->server, &lab->world.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&lab->server, "listening")));
	cr_assert_eq(capture_open(&lab->wire, &lab->world.client), 0);
}

void lab_close(struct lab *lab)
{
	proc_end(&lab->server);
	capture_close(&lab->wire);
	world_close(&lab->world);
}

int64_t lab_capable(struct lab *lab)
{
	int64_t n = counter(&lab->world.server, "MPCapableSYNRX");

	cr_assert_geq(n, 0, "no counter: %s", strerror(-(int)n));
	return n;
}

/* LD_PRELOAD of this run. */
static void preload_value(const struct lab *lab, const struct program *g,
			  enum lab_mode mode, char *buf, size_t size)
{
	const char *parts[3] = { g->before, mode == NATIVE ? NULL : lab->lib, g->after };
	size_t len = snprintf(buf, size, "LD_PRELOAD=");

	for (int i = 0; i < 3; i++)
		if (parts[i])
			len += snprintf(buf + len, size - len, "%s ", parts[i]);
}

void program_start(struct lab *lab, const struct program *g, enum lab_mode mode,
		   struct proc *ret)
{
	char preload[PATH_MAX + 256], config[96], home[96], path[PATH_MAX];
	const char *env[ENV_MAX] = { NULL }, *argv[LAB_ARGS] = { NULL };
	int n = 0, r;

	preload_value(lab, g, mode, preload, sizeof(preload));
	snprintf(home, sizeof(home), "XDG_CONFIG_HOME=%s", lab->home);
	snprintf(config, sizeof(config), "MPTCPADDR_CONFIG=%s", lab->pool);
	env[n++] = home;
	if (mode == POOL)
		env[n++] = config;
	for (int i = 0; i < 8 && g->env[i]; i++)
		env[n++] = g->env[i];
	for (int i = 0; i < 8 && mode != NATIVE && g->preload_env[i]; i++)
		env[n++] = g->preload_env[i];
	env[n] = preload;
	for (int i = 0; i < LAB_ARGS - 1 && g->argv[i]; i++)
		argv[i] = g->argv[i];
	if (!strchr(argv[0], '/'))
		argv[0] = program_file(argv[0], path);
	r = proc_start(ret, &lab->world.client, argv, env);
	cr_assert_eq(r, 0, "%s: %s", argv[0], strerror(-r));
}

/* Whether @word precedes @p in @text. */
static bool is_preceded_by(const char *text, const char *p, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(p - text) >= len && !strncmp(p - len, word, len);
}

/* Replace numbers that differ from run to run: inodes, processes, milliseconds. */
static void normalise(char *text)
{
	char *from = text, *to = text, *end;

	while (*from) {
		end = from;
		while (isdigit((unsigned char)*end))
			end++;
		if (end > from && (is_preceded_by(text, to, ":[") ||
				   is_preceded_by(text, to, "/proc/") ||
				   is_preceded_by(text, to, " after ") ||
				   is_preceded_by(text, to, "=="))) {
			*to++ = 'N';
			from = end;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

char *program_run(struct lab *lab, const struct program *g, enum lab_mode mode)
{
	struct proc p;
	char *out, *err, *text;
	int status;

	program_start(lab, g, mode, &p);
	if (g->in)
		cr_assert_eq(proc_tell(&p, g->in), 0);
	proc_eof(&p);
	status = proc_wait(&p, EFFECT_MS);
	out = proc_output(&p);
	err = proc_errors(&p);
	cr_assert_geq(status, 0, "%s did not end: %s%s", g->argv[0], out, err);
	cr_assert_geq(
		asprintf(&text, "%s--- errors:\n%s--- status %d\n", out, err, status), 0);
	free(out);
	free(err);
	proc_end(&p);
	normalise(text);
	return text;
}

/* Log the first line that differs. */
static void show_difference(const char *want, const char *got)
{
	size_t line = 0;

	for (size_t i = 0; want[i] && want[i] == got[i]; i++)
		if (want[i] == '\n')
			line = i + 1;
	cr_log_error("natively:  %.*s", (int)strcspn(want + line, "\n"), want + line);
	cr_log_error("preloaded: %.*s", (int)strcspn(got + line, "\n"), got + line);
}

void same_as_native(struct lab *lab, const struct program *g, enum lab_mode mode,
		    enum lab_wire wire)
{
	int64_t before, between, after;
	char *native, *preloaded;

	before = lab_capable(lab);
	native = program_run(lab, g, NATIVE);
	between = lab_capable(lab);
	preloaded = program_run(lab, g, mode);
	after = lab_capable(lab);
	if (strcmp(native, preloaded))
		show_difference(native, preloaded);
	cr_expect_str_eq(preloaded, native, "%s: differs from the native run",
			 g->argv[0]);
	cr_expect_eq(between, before, "%s opens MPTCP by itself", g->argv[0]);
	if (wire == MPTCP)
		cr_expect_gt(after, between, "%s: the library did nothing", g->argv[0]);
	else
		cr_expect_eq(after, between, "%s: MPTCP on the wire", g->argv[0]);
	free(native);
	free(preloaded);
}

void same_in_both_modes(const struct program *g, enum lab_wire wire)
{
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, g, POOL, wire);
	same_as_native(&lab, g, NO_POOL, wire);
	lab_close(&lab);
}
