// SPDX-License-Identifier: MIT
/*
 * real.c - each program of clients/ and servers/, natively and under the library
 *
 * A program is a shell script: its head says how, in lines "# key: value", and the rest
 * does the program's job over three links, in an empty directory.
 *
 *   package   the Debian packages that it needs
 *   server    (clients) the script of servers/ that it talks to
 *   port      (servers) listens here once it is ready
 *   client    (servers) a command on the other host; without, it serves clients only
 *   app       a line of [app] in its pool file
 *   joins     additional subflows that its job must bring about: 2 if not given
 *   as-root   the same as root without the broker, and the reason
 *   volatile  an expression of sed -E for what differs from run to run anyway
 *   differs   what cannot be compared, and the reason; for the table
 *   user      no: root alone can run it, and the reason
 *   supervise yes: it cannot load the library: "mptcpaddr run --supervise" starts it
 *
 * It runs as root and as an ordinary user, natively and under the library, which has its
 * own manager as root and the broker as user; servers also run as root with the broker,
 * since many drop their rights. What it prints, its exit status and the files that it
 * leaves must be the same.
 */
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counter.h"
#include "endpoint.h"
#include "proc.h"
#include "real.h"
#include "shim.h"
#include "skip.h"
#include "until.h"
#include "world.h"

#define SCRIPTS	 "tests/real"
#define WORK	 "/run/work"
#define SCENERY	 "/run/scenery"
#define USER_ID	 "1500"
#define JOB_MS	 120000
#define ROWS_MAX 128

enum how {
	AS_ROOT,
	UNDER_MANAGER,
	ROOT_UNDER_BROKER,
	AS_USER,
	UNDER_BROKER,
	HOWS
};

static const char *const how_names[HOWS] = { "root, native", "root, manager",
					     "root, broker", "user, native",
					     "user, broker" };

/* The native run that @how is compared with; itself if it is one. */
static enum how how_native(enum how how)
{
	return how < AS_USER ? AS_ROOT : AS_USER;
}

struct result {
	int status; /* of the client */
	int ended;  /* of the server, by SIGTERM */
	char *out, *err, *files;
	int64_t joins;
};

struct app {
	char path[PATH_MAX];
	char server[64], client[512], volatiles[1024];
	char settings[128];
	int port, joins;
	int root_joins; /* without the broker */
	bool root_only, supervised;
};

struct stage {
	struct world world;
	struct proc server, broker;
	char dir[PATH_MAX]; /* where the scripts are */
};

/* The value of "# key: value" in @line, or NULL. */
static char *head_value(char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncmp(line, "# ", 2) || strncmp(line + 2, key, n) || line[2 + n] != ':')
		return NULL;
	line += 2 + n + 1;
	line[strcspn(line, "\n")] = '\0';
	return line + strspn(line, " ");
}

static void app_read(struct app *app, const char *dir, const char *name)
{
	char line[1024];
	const char *value;
	FILE *f;

	*app = (struct app){ .joins = 2, .root_joins = -1 };
	cr_assert(realpath(dir, app->path));
	snprintf(app->path + strlen(app->path), 64, "/%s", name);
	f = fopen(app->path, "re");
	cr_assert(f, "%s: %s", app->path, strerror(errno));
	while (fgets(line, sizeof(line), f) && line[0] == '#') {
		size_t used = strlen(app->volatiles);

		if ((value = head_value(line, "server")))
			snprintf(app->server, sizeof(app->server), "%s", value);
		else if ((value = head_value(line, "client")))
			snprintf(app->client, sizeof(app->client), "%s", value);
		else if ((value = head_value(line, "volatile")))
			snprintf(app->volatiles + used, sizeof(app->volatiles) - used,
				 "%s\n", value);
		else if ((value = head_value(line, "app")))
			snprintf(app->settings, sizeof(app->settings), "[app]\n%s\n",
				 value);
		else if ((value = head_value(line, "port")))
			app->port = atoi(value);
		else if ((value = head_value(line, "joins")))
			app->joins = atoi(value);
		else if ((value = head_value(line, "as-root")))
			app->root_joins = atoi(value);
		else if ((value = head_value(line, "user")))
			app->root_only = !strncmp(value, "no", 2);
		else if (head_value(line, "supervise"))
			app->supervised = true;
	}
	if (app->root_joins < 0)
		app->root_joins = app->joins;
	fclose(f);
}

/* Replace what is volatile in @text, which is freed. */
static char *text_settle(char *text, const char *volatiles)
{
	const char *argv[] = { "sed", "-E", volatiles, NULL };
	struct proc p;

	if (!volatiles[0])
		return text;
	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	cr_assert_eq(write(p.in, text, strlen(text)), (ssize_t)strlen(text));
	proc_eof(&p);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0, "sed: %s", proc_errors(&p));
	free(text);
	text = proc_output(&p);
	proc_end(&p);
	return text;
}

/* Names and checksums of the files in the working directory. */
static char *files_list(const char *volatiles)
{
	static const char *const argv[] = { "sh", "-c",
					    "cd " WORK
					    " && find . -type f ! -name '.*' ! -path "
					    "'./.*' | LC_ALL=C sort | xargs -r sha256sum",
					    NULL };
	struct proc p;
	char *text;

	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0);
	text = proc_output(&p);
	proc_end(&p);
	return text_settle(text, volatiles);
}

/* An empty working directory of @how's user. */
static void work_clear(enum how how)
{
	static const char *const argv[] = { "rm", "-rf", WORK, NULL };
	uid_t uid = how < AS_USER ? 0 : atoi(USER_ID);

	cr_assert_eq(proc_run(NULL, NULL, argv), 0);
	cr_assert(mkdir(WORK, 0755) == 0 && chown(WORK, uid, uid) == 0);
}

/* Start the script of @app in @dir as @how says. */
static void script_start(struct proc *p, const struct host *h, enum how how,
			 const char *dir, const struct app *app, const char *pool)
{
	static const char *const root[] = { "env", "HOME=/run/root", "LANG=C.UTF-8",
					    NULL };
	static const char *const user[] = {
		"setpriv",    "--reuid",	USER_ID,	"--regid",
		USER_ID,      "--clear-groups", "env",		"HOME=/run/home",
		"USER=alice", "LOGNAME=alice",	"LANG=C.UTF-8", NULL
	};
	const char *const *prefix = how < AS_USER ? root : user;
	const bool native = how_native(how) == how;
	const char *argv[24];
	struct shim_env shim;
	char tool[PATH_MAX];
	int n = 0;

	for (; prefix[n]; n++)
		argv[n] = prefix[n];
	if (app->supervised && !native) {
		argv[n++] = built("mptcpaddr", tool, sizeof(tool));
		argv[n++] = "run";
		argv[n++] = "--supervise";
	}
	argv[n++] = "sh";
	argv[n++] = app->path;
	argv[n] = NULL;
	cr_assert_eq(chdir(dir), 0);
	shim_env(&shim, pool);
	shim.list[shim.count] = how == UNDER_MANAGER ? "MPTCPADDR_BACKEND=direct"
						     : "MPTCPADDR_BACKEND=broker";
	cr_assert_eq(proc_start(p, h, argv, native ? NULL : shim.list), 0);
}

static bool port_open(const struct host *h, int port, struct proc *p)
{
	return host_listens(h, port) || proc_wait(p, 0) != -ETIMEDOUT;
}

static void server_start(struct proc *p, const struct host *h, enum how how,
			 const char *dir, const struct app *server, const char *pool)
{
	char *errors;

	script_start(p, h, how, dir, server, pool);
	cr_assert(WAIT_FOR(port_open(h, server->port, p)));
	errors = proc_errors(p);
	cr_assert_eq(proc_wait(p, 0), -ETIMEDOUT, "%s ended: %s", server->path, errors);
	free(errors);
}

static void result_take(struct result *r, const struct app *app, struct proc *p)
{
	r->out = text_settle(proc_output(p), app->volatiles);
	r->err = text_settle(proc_errors(p), app->volatiles);
	proc_end(p);
}

/* The client @app does its job; the server's kernel announces. */
static void client_run(struct stage *s, const struct app *app, enum how how,
		       struct result *ret)
{
	const struct host *h = &s->world.client;
	int64_t before = counter(h, "MPJoinSynAckRx");
	struct proc p;

	work_clear(how);
	script_start(&p, h, how, WORK, app, "/run/pool.conf");
	ret->status = proc_wait(&p, JOB_MS);
	ret->files = files_list(app->volatiles);
	ret->joins = counter(h, "MPJoinSynAckRx") - before;
	result_take(ret, app, &p);
}

/* The server @app serves a client, whose kernel joins what is announced. */
static void server_run(struct stage *s, const struct app *app, enum how how,
		       struct result *ret)
{
	const char *const argv[] = { "mptcpize", "run", "sh", "-c", app->client, NULL };
	const struct host *h = &s->world.server;
	int64_t before = counter(h, "MPJoinAckRx");
	struct proc server, client;
	char *text, *both;

	work_clear(how);
	server_start(&server, h, how, WORK, app, "/run/pool.conf");
	cr_assert_eq(proc_start(&client, &s->world.client, argv, NULL), 0);
	ret->status = proc_wait(&client, JOB_MS);
	ret->joins = counter(h, "MPJoinAckRx") - before;
	text = proc_output(&client);
	kill(server.pid, SIGTERM);
	ret->ended = proc_wait(&server, EFFECT_MS);
	ret->files = files_list(app->volatiles);
	result_take(ret, app, &server);
	cr_assert_geq(asprintf(&both, "%s%s%s", text, proc_errors(&client), ret->out), 0);
	free(text);
	free(ret->out);
	ret->out = text_settle(both, app->volatiles);
	proc_end(&client);
}

/* Expect the same text; the message shows the first line that differs. */
static void texts_compare(const struct app *app, enum how how, const char *what,
			  const char *native, const char *under)
{
	while (*native && *native == *under) {
		native++;
		under++;
	}
	cr_expect_eq(*native, *under, "%s (%s): %s: ...%.200s\nnatively: ...%.200s",
		     app->path, how_names[how], what, under, native);
}

static void results_compare(const struct app *app, const struct result *native,
			    const struct result *under, enum how how)
{
	int joins = how == UNDER_MANAGER ? app->root_joins : app->joins;

	cr_expect_eq(native->status, under->status,
		     "%s (%s): exit status %d, natively %d", app->path, how_names[how],
		     under->status, native->status);
	cr_expect_eq(native->ended, under->ended,
		     "%s (%s): the server ended with %d, natively %d", app->path,
		     how_names[how], under->ended, native->ended);
	texts_compare(app, how, "stdout", native->out, under->out);
	texts_compare(app, how, "stderr", native->err, under->err);
	texts_compare(app, how, "files", native->files, under->files);
	cr_expect_geq(under->joins, joins, "%s (%s): %lld joins, expected %d", app->path,
		      how_names[how], (long long)under->joins, joins);
	cr_expect_eq(native->joins, 0, "%s: natively %lld joins", app->path,
		     (long long)native->joins);
}

static void text_put(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %s", path,
		  strerror(errno));
	chmod(path, 0644);
}

/* Users whom programs look up, and what servers serve: the same everywhere. */
static void scene_make(void)
{
	static const char *const prepare[] = { "sh", SCRIPTS "/prepare", NULL };

	cr_assert_eq(proc_run(NULL, NULL, prepare), 0);
}

/* Slow links, so that a job is not done before its paths are there. */
static void links_shape(const struct world *w)
{
	char command[128];
	const char *const argv[] = { "sh", "-c", command, NULL };

	for (int i = 1; i <= w->links; i++) {
		for (int side = 0; side < 2; side++) {
			snprintf(command, sizeof(command),
				 "tc qdisc add dev %c%d root tbf rate 24mbit burst 16k "
				 "latency 100ms",
				 side ? 's' : 'c', i);
			cr_assert_eq(proc_run(side ? &w->server : &w->client, NULL, argv),
				     0);
		}
	}
}

static void broker_start(struct stage *s, const struct host *h)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("mptcpaddrd", path, sizeof(path)),
				     "-c",
				     "/run/broker.conf",
				     "-s",
				     "/run/broker",
				     NULL };

	text_put("/run/broker.conf", "");
	mkdir("/run/broker", 0700);
	cr_assert_eq(proc_start(&s->broker, h, argv, NULL), 0);
	cr_assert(WAIT_FOR(({
		char *errors = proc_errors(&s->broker);
		bool serves = strstr(errors, "serving programs");

		free(errors);
		serves;
	})));
}

/*
 * stage_set() - two hosts; @subject's programs run under the library
 *
 * Its pool announces the server's addresses or has the client's for what is announced.
 */
static void stage_set(struct stage *s, const struct app *app, bool is_server)
{
	static const char *const pools[] = {
		"[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n",
		"[pool]\nendpoint = 10.0.2.1 signal\nendpoint = 10.0.3.1 signal\n"
	};
	const struct host *subject, *other;
	char *pool;

	*s = (struct stage){ .broker.pid = 0 };
	cr_assert_eq(world_open(&s->world, 3), 0);
	subject = is_server ? &s->world.server : &s->world.client;
	other = is_server ? &s->world.client : &s->world.server;
	links_shape(&s->world);
	cr_assert_eq(host_path_manager(subject, PM_USERSPACE), 0);
	cr_assert_eq(host_path_manager(other, PM_KERNEL), 0);
	cr_assert_eq(limits_set(other, 8, 8), 0);
	for (int i = 2; !is_server && i <= 3; i++) {
		char addr[16];
		const struct endpoint_spec e = { .addr = addr, .flags = EP_SIGNAL };

		snprintf(addr, sizeof(addr), "10.0.%d.1", i);
		cr_assert_eq(endpoint_add(other, &e), 0);
	}
	cr_assert_geq(asprintf(&pool, "%s%s", pools[is_server], app->settings), 0);
	text_put("/run/pool.conf", pool);
	free(pool);
	scene_make();
}

/* A line of numbers for the table: joins of each way to run it. */
static void joins_write(const char *name, bool is_server, const struct app *app,
			const struct result *r)
{
	const char *dir = getenv("RESULTS");
	char path[PATH_MAX], line[64];
	int n = 0;

	if (!dir)
		return;
	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/%s-%s", dir, is_server ? "servers" : "clients",
		 name);
	for (enum how how = 0; how < HOWS; how++)
		if (how == UNDER_BROKER && app->root_only)
			n += snprintf(line + n, sizeof(line) - n, " -");
		else if (how_native(how) != how &&
			 (how != ROOT_UNDER_BROKER || is_server))
			n += snprintf(line + n, sizeof(line) - n, " %lld",
				      (long long)r[how].joins);
	snprintf(line + n, sizeof(line) - n, "\n");
	text_put(path, line);
}

static void app_run(struct stage *s, const struct app *app, bool is_server,
		    struct result *r)
{
	for (enum how how = 0; how < (app->root_only ? AS_USER : HOWS); how++) {
		if (how == ROOT_UNDER_BROKER) {
			broker_start(s, is_server ? &s->world.server : &s->world.client);
			if (!is_server)
				continue;
		}
		(is_server ? server_run : client_run)(s, app, how, &r[how]);
		if (how_native(how) != how)
			results_compare(app, &r[how_native(how)], &r[how], how);
		else
			cr_expect_eq(r[how].status, 0, "%s (%s) ended with %#x: %s%s",
				     app->path, how_names[how], r[how].status, r[how].out,
				     r[how].err);
	}
}

static void app_test(const char *dir, const char *name)
{
	bool is_server = strstr(dir, "servers");
	struct result r[HOWS] = { { 0 } };
	struct proc scenery = { 0 };
	struct app app, server;
	struct stage s;

	NEED_SANDBOX();
	if (!getenv("MPTCPADDR_TEST_USERS"))
		SKIP("only root may map other users");
	app_read(&app, dir, name);
	stage_set(&s, &app, is_server);
	if (app.server[0]) {
		app_read(&server, SCRIPTS "/servers", app.server);
		cr_assert_eq(mkdir(SCENERY, 0755), 0);
		server_start(&scenery, &s.world.server, UNDER_MANAGER, SCENERY, &server,
			     NULL);
	}
	app_run(&s, &app, is_server, r);
	joins_write(name, is_server, &app, r);
	proc_end(&scenery);
	proc_end(&s.broker);
	world_close(&s.world);
}

struct row {
	char dir[32];
	char name[NAME_MAX + 1];
};

bool row_selected(const char *name, int number)
{
	const char *programs = getenv("APPS"), *quarter = getenv("QUARTER");
	char list[1024], one[NAME_MAX + 3];

	if (quarter && quarter[0] && number % 4 != atoi(quarter) % 4)
		return false;
	if (!programs || !programs[0])
		return true;
	snprintf(list, sizeof(list), " %s ", programs);
	snprintf(one, sizeof(one), " %s ", name);
	return strstr(list, one);
}

static int rows_read(struct row *rows, int max)
{
	static const char *const dirs[] = { SCRIPTS "/clients", SCRIPTS "/servers" };
	int count = 0, number = 0;
	struct dirent **list;
	struct app app;

	for (int d = 0; d < 2; d++) {
		int n = scandir(dirs[d], &list, NULL, alphasort);

		for (int i = 0; i < n; i++) {
			if (list[i]->d_name[0] == '.')
				continue;
			app_read(&app, dirs[d], list[i]->d_name);
			if ((d && !app.client[0]) || count == max ||
			    !row_selected(list[i]->d_name, number++))
				continue;
			snprintf(rows[count].dir, sizeof(rows[count].dir), "%s", dirs[d]);
			snprintf(rows[count++].name, sizeof(rows[0].name), "%s",
				 list[i]->d_name);
		}
	}
	return count;
}

ParameterizedTestParameters(real, program)
{
	static struct row rows[ROWS_MAX];

	return cr_make_param_array(struct row, rows, rows_read(rows, ROWS_MAX));
}

ParameterizedTest(struct row *row, real, program)
{
	app_test(row->dir, row->name);
}
