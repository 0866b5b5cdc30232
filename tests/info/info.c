// SPDX-License-Identifier: MIT
/*
 * info.c - a client and a server with connections between them, and mptcpinfo on either
 */
#include "info.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "shim.h"
#include "until.h"

void stage_open(struct stage *s, int links)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpserver", path, sizeof(path)),
				     SERVER_PORT, NULL };

	memset(s, 0, sizeof(*s));
	cr_assert_eq(world_open(&s->w, links), 0);
	cr_assert_eq(proc_start(&s->server, &s->w.server, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&s->server, "listening")));
}

void stage_connect(struct stage *s, const char *address, const char *count)
{
	char path[PATH_MAX];
	const char *const argv[] = { built("tests/apps/tcpclient", path, sizeof(path)),
				     "-m",
				     "-N",
				     count,
				     address,
				     SERVER_PORT,
				     NULL };

	cr_assert_eq(proc_start(&s->client, &s->w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&s->client, "connected")), "%s",
		  proc_errors(&s->client));
}

void stage_close(struct stage *s)
{
	proc_end(&s->client);
	proc_end(&s->broker);
	proc_end(&s->server);
	world_close(&s->w);
}

void stage_endpoints(struct stage *s)
{
	static const struct endpoint_spec server[] = {
		{ .addr = "10.0.2.1", .flags = EP_SIGNAL, .id = 12 },
		{ .addr = "10.0.3.1", .flags = EP_SIGNAL, .id = 13 },
		{ .addr = "dead:beef:2::1", .flags = EP_SIGNAL, .id = 22 },
	};
	static const struct endpoint_spec client[] = {
		{ .addr = "10.0.3.2", .flags = EP_SUBFLOW | EP_BACKUP, .id = 33 },
		{ .addr = "dead:beef:3::2", .flags = EP_SUBFLOW, .id = 43 },
	};

	for (size_t i = 0; i < sizeof(server) / sizeof(server[0]); i++)
		cr_assert_eq(endpoint_add(&s->w.server, &server[i]), 0);
	for (size_t i = 0; i < sizeof(client) / sizeof(client[0]); i++)
		cr_assert_eq(endpoint_add(&s->w.client, &client[i]), 0);
	cr_assert_eq(limits_set(&s->w.server, 8, 8), 0);
	cr_assert_eq(limits_set(&s->w.client, 8, 8), 0);
}

void stage_announcing(struct stage *s)
{
	static const struct endpoint_spec announced[] = {
		{ .addr = "10.0.2.1", .flags = EP_SIGNAL, .id = 12 },
		{ .addr = "10.0.3.1", .flags = EP_SIGNAL, .id = 13 },
	};

	stage_open(s, 3);
	cr_assert_eq(host_path_manager(&s->w.client, PM_USERSPACE), 0);
	for (size_t i = 0; i < sizeof(announced) / sizeof(announced[0]); i++)
		cr_assert_eq(endpoint_add(&s->w.server, &announced[i]), 0);
	cr_assert_eq(limits_set(&s->w.server, 8, 8), 0);
}

static bool broker_serves(struct stage *s)
{
	char *said = proc_errors(&s->broker);
	const bool serves = strstr(said, "serving programs");

	free(said);
	return serves;
}

void stage_broker(struct stage *s, const char *config)
{
	char program[PATH_MAX], path[64], state[64];
	const char *const argv[] = {
		built("mptcpaddrd", program, PATH_MAX), "-c", path, "-s", state, NULL
	};
	FILE *f;

	snprintf(path, sizeof(path), "/run/info-broker-%d.conf", getpid());
	snprintf(state, sizeof(state), "/run/info-broker-%d", getpid());
	f = fopen(path, "w");
	cr_assert(f);
	fputs(config, f);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(mkdir(state, 0755), 0);
	cr_assert_eq(proc_start(&s->broker, &s->w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(broker_serves(s)), "%s", proc_errors(&s->broker));
}

/* Tests run in parallel and share the sandbox's /run. */
const char *pool_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/run/info-pool-%d.conf", getpid());
	return path;
}

void pool_write(const char *text)
{
	FILE *f = fopen(pool_path(), "w");

	cr_assert(f);
	fputs(text, f);
	cr_assert_eq(fclose(f), 0);
}

void stage_preloaded_to(struct stage *s, const char *const by[], const char *address,
			const char *count)
{
	char program[PATH_MAX];
	const char *const client[] = { built("tests/apps/tcpclient", program, PATH_MAX),
				       "-N",
				       count,
				       address,
				       SERVER_PORT,
				       NULL };
	const char *argv[16];
	struct shim_env env;
	int n = 0;

	for (int i = 0; by && by[i] && n < 8; i++)
		argv[n++] = by[i];
	for (int i = 0; i < 6; i++)
		argv[n++] = client[i];
	cr_assert_eq(
		proc_start(&s->client, &s->w.client, argv, shim_env(&env, pool_path())),
		0);
	cr_assert(WAIT_FOR(proc_said(&s->client, "connected")), "%s",
		  proc_errors(&s->client));
}

void stage_preloaded_by(struct stage *s, const char *const by[], const char *count)
{
	stage_preloaded_to(s, by, "10.0.1.1", count);
}

void stage_preloaded(struct stage *s, const char *count)
{
	stage_preloaded_by(s, NULL, count);
}

struct said run(const struct host *h, const char *const argv[])
{
	return run_for(h, argv, EFFECT_MS);
}

struct said run_for(const struct host *h, const char *const argv[], int timeout_ms)
{
	struct said said = { 0 };
	struct proc p;

	cr_assert_eq(proc_start(&p, h, argv, NULL), 0);
	said.status = proc_wait(&p, timeout_ms);
	said.out = proc_output(&p);
	said.err = proc_errors(&p);
	proc_end(&p);
	return said;
}

struct said info(const struct host *h, const char *const args[])
{
	char path[PATH_MAX];
	const char *argv[9] = { built("mptcpinfo", path, sizeof(path)) };

	for (int i = 0; args && args[i] && i < 7; i++)
		argv[i + 1] = args[i];
	return run(h, argv);
}

json_t *info_json(const struct host *h, const char *const args[])
{
	const char *argv[8] = { "--json" };
	struct said said;
	json_error_t error;
	json_t *root;

	for (int i = 0; args && args[i] && i < 6; i++)
		argv[i + 1] = args[i];
	said = info(h, argv);
	cr_assert_eq(said.status, 0, "%s", said.err);
	root = json_loads(said.out, JSON_REJECT_DUPLICATES, &error);
	cr_assert(root, "line %d: %s\n%s", error.line, error.text, said.out);
	said_free(&said);
	return root;
}

/* Whether two documents differ in nothing but the clocks of mptcp_info. */
static bool same_state(const json_t *a, const json_t *b)
{
	const json_t *conn;
	bool same;
	size_t i;

	same = json_array_size(at(a, "connections")) ==
		       json_array_size(at(b, "connections")) &&
	       json_equal(at(a, "namespace"), at(b, "namespace")) &&
	       json_equal(at(a, "managers"), at(b, "managers"));
	json_array_foreach((json_t *)at(a, "connections"), i, conn) same =
		same &&
		json_equal(at(conn, "subflows"),
			   at(json_array_get(at(b, "connections"), i), "subflows"));
	return same;
}

static bool looked_at_rest(const struct host *h, look_fn *look, struct said ret[2],
			   json_t **ret_root)
{
	json_t *before = info_json(h, NULL), *after;
	bool same;

	for (int i = 0; i < 2; i++)
		said_free(&ret[i]);
	memset(ret, 0, 2 * sizeof(*ret));
	look(h, ret);
	after = info_json(h, NULL);
	same = same_state(before, after);
	json_decref(after);
	if (same)
		*ret_root = before;
	else
		json_decref(before);
	return same;
}

json_t *info_steady(const struct host *h, look_fn *look, struct said ret[2])
{
	json_t *root = NULL;

	memset(ret, 0, 2 * sizeof(*ret));
	cr_assert(WAIT_FOR(looked_at_rest(h, look, ret, &root)), "it never rests");
	return root;
}

void said_free(struct said *said)
{
	free(said->out);
	free(said->err);
}

const json_t *at(const json_t *root, const char *path)
{
	char copy[128], *save, *word;
	const json_t *value = root;

	snprintf(copy, sizeof(copy), "%s", path);
	for (word = strtok_r(copy, ".", &save); word && value;
	     word = strtok_r(NULL, ".", &save))
		value = json_is_array(value) ? json_array_get(value, atoi(word))
					     : json_object_get(value, word);
	cr_assert(value, "no %s in %s", path, json_dumps(root, JSON_COMPACT));
	return value;
}

const char *text_at(const json_t *root, const char *path)
{
	const json_t *value = at(root, path);

	cr_assert(json_is_string(value), "%s", path);
	return json_string_value(value);
}

long long number_at(const json_t *root, const char *path)
{
	const json_t *value = at(root, path);

	cr_assert(json_is_integer(value), "%s", path);
	return json_integer_value(value);
}

size_t subflow_count(const json_t *root)
{
	const json_t *conn;
	size_t i, n = 0;

	json_array_foreach((json_t *)at(root, "connections"), i, conn) n +=
		json_array_size(at(conn, "subflows"));
	return n;
}

size_t subflows_on(const struct host *h)
{
	json_t *root = info_json(h, NULL);
	size_t n = subflow_count(root);

	json_decref(root);
	return n;
}
