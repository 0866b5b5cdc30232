// SPDX-License-Identifier: MIT
/*
 * titles.c - checklist 25 with real programs: they overwrite their arguments and
 * environment before they connect, and keep pool and opt-out
 */
#include "tests/preload/preload.h"

#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "real.h"
#include "subflow.h"

struct real {
	const char *name;   /* of its pool file */
	const char *needs;  /* this file */
	const char *server; /* shell scripts: its server, with native MPTCP */
	int server_port;
	const char *program; /* the program, which connects to it at once, or */
	int port;	     /* once it listens here and */
	const char *request; /* this runs */
};

#define NGINX(dir, user, rest)                                                       \
	"mkdir -p /run/" dir "; cd /run/" dir "; echo '" user                        \
	"daemon off; pid nginx.pid; "                                                \
	"error_log error.log; worker_processes 1; events {} http { access_log off; " \
	"client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; "    \
	"uwsgi_temp_path tmp; scgi_temp_path tmp; " rest " }' >nginx.conf; "         \
	"exec /usr/sbin/nginx -e error.log -p /run/" dir " -c nginx.conf"

/* Five seconds a page. */
#define PAGES                                                  \
	"mkdir -p /run/www; seq 20000 >/run/www/file; " NGINX( \
		"web", "user root; ",                          \
		"server { listen 8081; root /run/www; location / { limit_rate 20k; } }")

#define REDIS "cd /run; exec redis-server --protected-mode no --save \"\" --port "

/* PostgreSQL refuses to run as root. */
#define POSTGRES(dir, port)                                                              \
	"bin=$(ls -d /usr/lib/postgresql/*/bin); mkdir -p /run/" dir "; cd /run/" dir    \
	"; "                                                                             \
	"chown postgres .; chmod 755 /run; run=\"setpriv --reuid postgres --regid "      \
	"postgres --clear-groups\"; $run env -u LD_PRELOAD $bin/initdb -D data -A "      \
	"trust "                                                                         \
	"-U postgres --no-sync >/dev/null 2>&1; echo \"host all all 10.0.0.0/8 trust\" " \
	">>data/pg_hba.conf; exec $run --inh-caps +net_admin --ambient-caps +net_admin " \
	"$bin/postgres -D data -h 0.0.0.0 -k \"\" -c fsync=off -p " #port

static const struct real nginx = {
	.name = "nginx",
	.needs = "/usr/sbin/nginx",
	.server = PAGES,
	.server_port = 8081,
	.program = NGINX("proxy", "user root; ",
			 "server { listen 8082; location / { proxy_pass "
			 "http://10.0.1.1:8081; } }"),
	.port = 8082,
	.request = "curl -sS http://127.0.0.1:8082/file",
};

/* chroot() before the first connect(). */
static const struct real haproxy = {
	.name = "haproxy",
	.needs = "/usr/sbin/haproxy",
	.server = PAGES,
	.server_port = 8081,
	.program =
		"mkdir -p /run/empty; printf 'global\n chroot /run/empty\ndefaults\n "
		"mode http\n timeout connect 30s\n timeout client 30s\n timeout server "
		"30s\nfrontend f\n bind :8083\n default_backend b\nbackend b\n server s "
		"10.0.1.1:8081\n' >/run/haproxy.cfg; "
		"exec /usr/sbin/haproxy -db -f /run/haproxy.cfg",
	.port = 8083,
	.request = "curl -sS http://127.0.0.1:8083/file",
};

static const struct real chromium = {
	.name = "chromium",
	.needs = "/usr/bin/chromium",
	.server = PAGES,
	.server_port = 8081,
	.program = "chromium --headless --no-sandbox --disable-gpu "
		   "--user-data-dir=/run/profile --dump-dom http://10.0.1.1:8081/file",
};

static const struct real perl = {
	.name = "perl",
	.needs = "/usr/bin/perl",
	.server = PAGES,
	.server_port = 8081,
	.program = "exec perl -MIO::Socket::INET -e '$0 = q(x) x 5000; %ENV = (); "
		   "$s = IO::Socket::INET->new(q(10.0.1.1:8081)) or die; "
		   "print $s qq(GET /file HTTP/1.0\\r\\n\\r\\n); 1 while <$s>'",
};

static const struct real redis = {
	.name = "redis-server",
	.needs = "/usr/bin/redis-server",
	.server = REDIS "6379",
	.server_port = 6379,
	.program = REDIS "6380 --replicaof 10.0.1.1 6379",
};

static const struct real postgres = {
	.name = "postgres",
	.needs = "/usr/share/postgresql/15/extension/dblink.control",
	.server = POSTGRES("db1", 5432),
	.server_port = 5432,
	.program = POSTGRES("db2", 5433),
	.port = 5433,
	.request = "psql -q -h 10.0.1.2 -p 5433 -U postgres -c \"create extension if not "
		   "exists dblink\" -c \"select * from dblink('host=10.0.1.1 "
		   "user=postgres', 'select 1 from pg_sleep(5)') as t(x int)\"",
};

struct run {
	struct lab lab;
	struct proc server, program, request;
};

static void start_script(const struct host *host, const char *script, struct proc *ret)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	cr_assert_eq(proc_start(ret, host, argv, NULL), 0);
}

static void start_server(struct run *run, const struct real *real)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	const struct host *host = &run->lab.world.server;
	const char *const argv[] = { "mptcpize", "run", "sh", "-c", real->server, NULL };

	cr_assert_eq(endpoint_add(host, &e), 0);
	cr_assert_eq(proc_start(&run->server, host, argv, NULL), 0);
	cr_assert(WAIT_FOR(host_listens(host, real->server_port)), "%s",
		  proc_errors(&run->server));
}

static void start_program(struct run *run, const struct real *real, enum lab_mode mode,
			  const char *variable)
{
	const struct program g = { .argv = { "/bin/sh", "-c", real->program },
				   .env = { "HOME=/run" },
				   .preload_env = { variable } };

	program_start(&run->lab, &g, mode, &run->program);
	if (!real->port)
		return;
	cr_assert(WAIT_FOR(host_listens(&run->lab.world.client, real->port)), "%s",
		  proc_errors(&run->program));
	start_script(&run->lab.world.client, real->request, &run->request);
}

static void open_run(struct run *run, const struct real *real)
{
	if (access(real->needs, F_OK) < 0)
		SKIP("%s is not installed", real->needs);
	if (!strcmp(real->name, "postgres") && !getenv("MPTCPADDR_TEST_USERS"))
		SKIP("only root may map other users");
	*run = (struct run){ .program.pid = 0 };
	lab_open(&run->lab);
	start_server(run, real);
}

static void close_run(struct run *run)
{
	proc_end(&run->request);
	proc_end(&run->program);
	proc_end(&run->server);
	lab_close(&run->lab);
}

static void name_pool(struct run *run, const struct real *real, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/mptcpaddr", run->lab.home);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/mptcpaddr/%s.conf", run->lab.home, real->name);
	put_file(path, text, 0644);
}

#define TWO "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"

static void has_its_pool(const struct real *real, enum lab_mode mode)
{
	struct run run;

	open_run(&run, real);
	if (mode == NO_POOL)
		name_pool(&run, real, TWO);
	start_program(&run, real, mode, NULL);
	cr_expect(WAIT_FOR(joined_count(&run.lab.world.server) > 0),
		  "%s is not joined: %s%s", real->name, proc_errors(&run.program),
		  proc_output(&run.program));
	close_run(&run);
}

static bool has_connection(const struct host *host, int port)
{
	char filter[64], *text;
	const char *const argv[] = { "ss", "-Htn", "state", "established", filter, NULL };
	struct proc p;
	bool has;

	snprintf(filter, sizeof(filter), "dport = :%d", port);
	cr_assert_eq(proc_start(&p, host, argv, NULL), 0);
	proc_wait(&p, EFFECT_MS);
	text = proc_output(&p);
	has = *text;
	free(text);
	proc_end(&p);
	return has;
}

static void stays_plain(const struct real *real, const char *variable, const char *pool)
{
	struct run run;
	int64_t before;

	open_run(&run, real);
	name_pool(&run, real, pool);
	before = lab_capable(&run.lab);
	start_program(&run, real, NO_POOL, variable);
	cr_expect(WAIT_FOR(has_connection(&run.lab.world.client, real->server_port)),
		  "not connected: %s", proc_errors(&run.program));
	cr_expect_eq(lab_capable(&run.lab), before, "MPTCP on the wire");
	close_run(&run);
}

static const struct real *const programs[] = { &nginx, &haproxy, &chromium,
					       &perl,  &redis,	 &postgres };

/* A program, and how it gets its pool or opts out. */
struct title {
	int program;
	enum {
		POOL_BY_NAME,
		POOL_BY_VARIABLE,
		OUT_BY_FILE,
		OUT_BY_VARIABLE,
		WAYS
	} way;
};

ParameterizedTestParameters(titles, pool_and_opt_out_hold)
{
	static struct title titles[sizeof(programs) / sizeof(programs[0]) * WAYS];
	int n = 0;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		for (int way = 0; way < WAYS && row_selected(programs[i]->name, i); way++)
			titles[n++] = (struct title){ i, way };
	return cr_make_param_array(struct title, titles, n);
}

ParameterizedTest(struct title *title, titles, pool_and_opt_out_hold, .timeout = 240)
{
	const struct real *real = programs[title->program];

	cr_log_info("%s, way %d", real->name, title->way);
	switch (title->way) {
	case POOL_BY_NAME:
		return has_its_pool(real, NO_POOL);
	case POOL_BY_VARIABLE:
		return has_its_pool(real, POOL);
	case OUT_BY_FILE:
		return stays_plain(real, NULL, "[app]\nmptcp = no\n");
	default:
		return stays_plain(real, "MPTCPADDR_DISABLE=1", TWO);
	}
}
