// SPDX-License-Identifier: MIT
/*
 * schema.c - output for programs: JSON by its schema, Prometheus by its own library
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "download.h"
#include "info.h"
#include "skip.h"
#include "until.h"

#define THREE_PATHS                                                           \
	"[pool]\nendpoint = 10.0.2.2 id 7 laminar\nendpoint = 10.0.3.2 id 9 " \
	"laminar backup\nendpoint = 10.0.9.9 laminar\n"

struct said piped(const struct host *h, const char *args, const char *script)
{
	char info_path[PATH_MAX], path[PATH_MAX], schema[PATH_MAX], name[64], *command;
	struct said said;

	snprintf(name, sizeof(name), "tests/%s", script);
	built("mptcpinfo", info_path, PATH_MAX);
	built(name, path, PATH_MAX);
	built("tests/mptcpinfo.schema.json", schema, PATH_MAX);
	cr_assert_geq(asprintf(&command, "set -o pipefail; '%s' %s | '%s' '%s'",
			       info_path, args, path, schema),
		      0);
	said = run(h, (const char *[]){ "bash", "-c", command, NULL });
	free(command);
	return said;
}

void is_valid_json(const struct host *h, const char *args)
{
	struct said said;
	char line[128];

	snprintf(line, sizeof(line), "--json %s", args ? args : "");
	said = piped(h, line, "validate.py");
	cr_assert_eq(said.status, 0, "%s", said.err);
	said_free(&said);
}

static void three_paths(struct stage *s)
{
	pool_write(THREE_PATHS);
	stage_announcing(s);
	stage_preloaded(s, "1");
	cr_assert(WAIT_FOR(subflows_on(&s->w.client) == 3));
	proc_tell(&s->client, "echo 300000");
	cr_assert(WAIT_FOR(proc_said(&s->client, "echoed")));
}

Test(schema, json_of_three_paths_fits)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	three_paths(&s);
	is_valid_json(&s.w.client, NULL);
	is_valid_json(&s.w.server, NULL);
	/* Optional parts are present, so the schema was applied to them. */
	root = info_json(&s.w.client, NULL);
	cr_assert_eq(json_array_size(at(root, "connections.0.subflows")), 3);
	cr_assert_eq(json_array_size(at(root, "connections.0.endpoints")), 3);
	cr_assert_eq(json_array_size(at(root, "connections.0.announced")), 2);
	cr_assert_str_eq(text_at(root, "connections.0.endpoints.0.address"), "10.0.2.2");
	cr_assert_str_eq(text_at(root, "connections.0.endpoints.0.state"), "used");
	cr_assert_eq(number_at(root, "connections.0.endpoints.0.local_id"), 7);
	cr_assert_str_eq(text_at(root, "connections.0.endpoints.1.flags.0"), "backup");
	cr_assert_str_eq(text_at(root, "connections.0.endpoints.2.state"), "unavailable");
	cr_assert_eq(number_at(root, "connections.0.announced.0.port"),
		     atoi(SERVER_PORT));
	json_decref(root);
	stage_close(&s);
}

Test(schema, json_of_a_curl_that_downloads_over_three_paths_fits)
{
	struct download d;

	NEED_SANDBOX();
	download_open(&d);
	download_start(&d);
	cr_assert(WAIT_FOR(subflows_on(&d.w.client) == PATHS));
	is_valid_json(&d.w.client, "-p curl");
	is_valid_json(&d.w.server, NULL);
	download_close(&d);
}

Test(schema, json_of_ipv6_waiting_refused_and_unmanaged_fits)
{
	struct proc preloaded;
	struct stage s;

	NEED_SANDBOX();
	pool_write("[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = dead:beef:2::2 "
		   "laminar\n[limits]\nsubflows = 1\n");
	stage_announcing(&s);
	is_valid_json(&s.w.client, NULL); /* no connection */
	stage_preloaded(&s, "2");
	preloaded = s.client;
	stage_connect(&s, "dead:beef:1::1", "1");
	is_valid_json(&s.w.client, NULL);
	is_valid_json(&s.w.client, "-p tcpclient");
	is_valid_json(&s.w.client, "--watch -i 0.1 | head -n 1");
	is_valid_json(&s.w.server, NULL);
	proc_end(&preloaded);
	stage_close(&s);
}

/* The schema rejects invalid documents. */
Test(schema, documents_that_do_not_fit_are_noticed)
{
	static const char *const filters[] = {
		"del(.version)",
		"del(.time)",
		".time = \\\"2026-11-26 20:13:23\\\"",
		".monotonic_us = -1",
		".version = 1",
		".more = 1",
		".managers[0].counters.overruns = -1",
		"del(.managers[0].counters.retries)",
		".connections[0].token = \\\"0x1\\\"",
		".connections[0].subflows[0].local = \\\"10.0.1.2\\\"",
		".connections[0].subflows[0].rtt_us = null",
		".connections[0].endpoints[0].state = \\\"busy\\\"",
		".connections[0].endpoints[0].address = \\\"10.0.2.2:80\\\"",
		".connections[0].announced[0].reason = \\\"none\\\"",
		".connections[0].mptcp_info.write_seq = 1",
	};
	char args[256];
	struct said said;
	struct stage s;

	NEED_SANDBOX();
	three_paths(&s);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		snprintf(args, sizeof(args), "--json | jq \"%s\"", filters[i]);
		said = piped(&s.w.client, args, "validate.py");
		cr_assert_eq(said.status, 1, "%s: %d %s", filters[i], said.status,
			     said.err);
		said_free(&said);
	}
	stage_close(&s);
}

/* All keys of nested objects, except those named by the kernel. */
static void are_documented(const json_t *value, const char *manual)
{
	const json_t *inner;
	const char *key;
	char word[80];
	size_t i;

	json_array_foreach((json_t *)value, i, inner) are_documented(inner, manual);
	json_object_foreach((json_t *)value, key, inner)
	{
		snprintf(word, sizeof(word), "\n.Li %s", key);
		if (!strstr(manual, word))
			snprintf(word, sizeof(word), " Li %s", key);
		if (!strstr(manual, word))
			snprintf(word, sizeof(word), ", %s", key);
		cr_assert(strstr(manual, word), "%s is not in the manual", key);
		if (strcmp(key, "namespace") != 0 && strcmp(key, "mptcp_info") != 0)
			are_documented(inner, manual);
	}
}

Test(schema, every_key_is_in_the_manual)
{
	char path[PATH_MAX], *manual = NULL;
	size_t size = 0;
	struct stage s;
	json_t *root;
	FILE *f;

	NEED_SANDBOX();
	f = fopen(built("tests/mptcpinfo.8", path, PATH_MAX), "re");
	cr_assert(f && getdelim(&manual, &size, '\0', f) > 0, "%s", path);
	fclose(f);
	three_paths(&s);
	root = info_json(&s.w.client, NULL);
	are_documented(root, manual);
	json_decref(root);
	free(manual);
	stage_close(&s);
}

static void has_sample(const char *text, const char *sample)
{
	cr_assert(strstr(text, sample), "no %s in\n%s", sample, text);
}

static void look_at_prometheus(const struct host *h, struct said ret[2])
{
	ret[0] = piped(h, "--prometheus", "exposition.py");
}

Test(schema, prometheus_is_read_by_its_own_library)
{
	char sample[256], labels[160];
	struct said all[2], said;
	const json_t *sf;
	struct stage s;
	json_t *root;
	size_t i;

	NEED_SANDBOX();
	three_paths(&s);
	root = info_steady(&s.w.client, look_at_prometheus, all);
	said = all[0];
	cr_assert_eq(said.status, 0, "%s", said.err);
	has_sample(said.out, "mptcpaddr_info{path_manager=\"userspace\"} 1\n");
	has_sample(said.out, "mptcpaddr_mptcp_ext{name=\"MPJoinSynAckRx\"} 2\n");
	snprintf(sample, sizeof(sample),
		 "mptcpaddr_pm_add_addr_joined_total{pid=\"%d\",program=\"tcpclient\"} "
		 "2\n",
		 s.client.pid);
	has_sample(said.out, sample);
	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf)
	{
		snprintf(labels, sizeof(labels),
			 "{local=\"%s\",pid=\"%d\",program=\"tcpclient\",remote=\"%s\","
			 "token=\"%08llx\"}",
			 text_at(sf, "local"), s.client.pid, text_at(sf, "remote"),
			 number_at(root, "connections.0.token"));
		snprintf(sample, sizeof(sample),
			 "mptcpaddr_subflow_received_bytes_total%s %lld\n", labels,
			 number_at(sf, "bytes_received"));
		has_sample(said.out, sample);
		snprintf(sample, sizeof(sample),
			 "mptcpaddr_subflow_rtt_seconds%s %.15g\n", labels,
			 number_at(sf, "rtt_us") / 1e6);
		has_sample(said.out, sample);
	}
	json_decref(root);
	said_free(&said);
	stage_close(&s);
}

/* A program chooses its name: it must not become markup. */
Test(schema, prometheus_labels_are_escaped)
{
	char client[PATH_MAX];
	const char *const argv[] = { "/run/a\"b\\c{}", "-m", "10.0.1.1", SERVER_PORT,
				     NULL };
	struct said said;
	struct stage s;

	NEED_SANDBOX();
	stage_open(&s, 1);
	unlink(argv[0]);
	cr_assert_eq(symlink(built("tests/apps/tcpclient", client, PATH_MAX), argv[0]),
		     0);
	cr_assert_eq(proc_start(&s.client, &s.w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(&s.client, "connected")));
	said = piped(&s.w.client, "--prometheus", "exposition.py");
	cr_assert_eq(said.status, 0, "%s", said.err);
	has_sample(said.out, "program=\"a\"b\\c{}\"");
	said_free(&said);
	is_valid_json(&s.w.client, NULL);
	stage_close(&s);
}
