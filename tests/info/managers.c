// SPDX-License-Identifier: MIT
/*
 * managers.c - mptcpinfo with correct and faulty managers
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eventlog.h"
#include "info.h"
#include "mptcpaddr/control.h"
#include "skip.h"
#include "until.h"

#define CONNECTIONS 5

/* Two hosts, connections without a manager, and a liar that claims them all. */
struct scene {
	struct stage s;
	struct proc liar;
	char tokens[CONNECTIONS][16];
};

static void liar_start(struct scene *sc, struct proc *liar, const char *fault)
{
	char path[PATH_MAX];
	const char *argv[CONNECTIONS + 3] = {
		built("tests/info-liar", path, sizeof(path)), fault
	};

	for (int i = 0; i < CONNECTIONS; i++)
		argv[i + 2] = sc->tokens[i];
	cr_assert_eq(proc_start(liar, &sc->s.w.client, argv, NULL), 0);
	cr_assert(WAIT_FOR(proc_said(liar, "ready")));
}

static void scene_open(struct scene *sc, const char *fault)
{
	char path[64];
	json_t *root;

	memset(sc, 0, sizeof(*sc));
	stage_open(&sc->s, 1);
	cr_assert_eq(host_path_manager(&sc->s.w.client, PM_USERSPACE), 0);
	stage_connect(&sc->s, "10.0.1.1", "5");
	root = info_json(&sc->s.w.client, NULL);
	for (int i = 0; i < CONNECTIONS; i++) {
		snprintf(path, sizeof(path), "connections.%d.token", i);
		snprintf(sc->tokens[i], sizeof(sc->tokens[i]), "%lld",
			 number_at(root, path));
	}
	json_decref(root);
	liar_start(sc, &sc->liar, fault);
}

static void scene_close(struct scene *sc)
{
	proc_end(&sc->liar);
	stage_close(&sc->s);
}

static int with_manager(const json_t *root, const char *manager)
{
	const json_t *conn;
	size_t i;
	int n = 0;

	json_array_foreach((json_t *)at(root, "connections"), i, conn) n +=
		strcmp(text_at(conn, "manager"), manager) == 0;
	return n;
}

/* It gets all connections that it claims, on three pages. */
static void is_believed(const char *how)
{
	struct scene sc;
	json_t *root;

	NEED_SANDBOX();
	scene_open(&sc, how);
	root = info_json(&sc.s.w.client, NULL);
	cr_assert_eq(with_manager(root, "direct"), CONNECTIONS);
	cr_assert_eq(number_at(root, "connections.4.pid"), sc.liar.pid);
	cr_assert_eq(json_array_size(at(root, "managers")), 1);
	cr_assert_eq(number_at(root, "managers.0.pid"), sc.liar.pid);
	cr_assert_str_eq(text_at(root, "managers.0.program"), "info-liar");
	cr_assert_str_eq(text_at(root, "managers.0.backend"), "direct");
	cr_assert_eq(number_at(root, "managers.0.counters.overruns"), 0);
	json_decref(root);
	scene_close(&sc);
}

Test(managers, pages_of_connections_are_all_read)
{
	is_believed("none");
}

Test(managers, longer_records_of_a_later_manager_are_read)
{
	is_believed("grown");
}

Test(managers, program_filter_finds_those_who_hold_what_a_manager_claims)
{
	struct scene sc;
	json_t *root;

	NEED_SANDBOX();
	scene_open(&sc, "none");
	root = info_json(&sc.s.w.client, (const char *[]){ "-p", "tcpclient", NULL });
	cr_assert_eq(with_manager(root, "direct"), CONNECTIONS);
	cr_assert_eq(number_at(root, "connections.0.pid"), sc.s.client.pid);
	json_decref(root);
	scene_close(&sc);
}

/* The fault is reported, and affects neither connections nor other managers. */
static void is_reported(const char *fault, const char *what)
{
	struct proc good = { 0 };
	struct scene sc;
	struct said said;
	char name[32];
	json_t *root;

	NEED_SANDBOX();
	scene_open(&sc, fault);
	said = info(&sc.s.w.client, (const char *[]){ "--json", NULL });
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(strstr(said.err, what), "%s", said.err);
	cr_assert(strstr(said.err, "(info-liar)"), "%s", said.err);
	snprintf(name, sizeof(name), CTL_NAME_PREFIX "%d ", sc.liar.pid);
	cr_assert(strstr(said.err, name), "%s", said.err);
	root = json_loads(said.out, 0, NULL);
	cr_assert(root);
	cr_assert_eq(with_manager(root, "none"), CONNECTIONS);
	cr_assert_eq(number_at(root, "managers.0.pid"), sc.liar.pid);
	json_decref(root);
	said_free(&said);

	liar_start(&sc, &good, "none");
	root = info_json(&sc.s.w.client, NULL);
	cr_assert_eq(with_manager(root, "direct"), CONNECTIONS);
	cr_assert_eq(json_array_size(at(root, "managers")), 2);
	json_decref(root);
	proc_end(&good);
	scene_close(&sc);
}

Test(managers, fault_of_a_followed_manager_is_an_event)
{
	struct proc text, json;
	struct scene sc;

	NEED_SANDBOX();
	scene_open(&sc, "garbage");
	start_info(&text, &sc.s.w.client, (const char *[]){ "-e", NULL });
	start_info(&json, &sc.s.w.client, (const char *[]){ "-e", "--json", NULL });
	cr_expect(WAIT_FOR(proc_said(&text, " cannot be followed: ")));
	cr_expect(WAIT_FOR(proc_said(&json, "\"event\":\"manager_failed\"")));
	proc_end(&text);
	proc_end(&json);
	scene_close(&sc);
}

#define REPORT_TEST(name, fault, what)    \
	Test(managers, name)              \
	{                                 \
		is_reported(fault, what); \
	}

REPORT_TEST(another_version_is_reported, "version",
	    "speaks version 5 of the control protocol, this "
	    "mptcpinfo version 4")
REPORT_TEST(first_version_is_reported_whose_answers_are_shorter, "old",
	    "speaks version 1 of the control protocol, this "
	    "mptcpinfo version 4")
REPORT_TEST(manager_without_a_record_of_itself_is_reported, "countless", "invalid answer")

/* Masks of one list of endpoints are never shown with another list. */
REPORT_TEST(pool_that_keeps_changing_is_reported, "changing", "its pool keeps changing")
REPORT_TEST(garbage_is_reported, "garbage", "invalid answer")
REPORT_TEST(answer_without_a_whole_header_is_reported, "short", "invalid answer")
REPORT_TEST(promised_records_that_are_not_there_are_reported, "overcount",
	    "invalid answer")
REPORT_TEST(records_too_short_are_reported, "tinyrecord", "invalid answer")
REPORT_TEST(silence_is_reported, "silent", "does not answer")
REPORT_TEST(hanging_up_is_reported, "hangup", "hung up")
REPORT_TEST(pages_without_end_are_given_up, "endless", "does not answer")

Test(managers, stopped_process_blocks_nobody)
{
	struct scene sc;
	struct said said;

	NEED_SANDBOX();
	scene_open(&sc, "none");
	kill(sc.liar.pid, SIGSTOP);
	said = info(&sc.s.w.client, NULL);
	cr_assert_eq(said.status, 0);
	cr_assert(strstr(said.err, "does not answer"), "%s", said.err);
	cr_assert(strstr(said.out, "5 MPTCP connections"), "%s", said.out);
	said_free(&said);
	scene_close(&sc);
}

Test(managers, connection_of_the_kernels_path_manager_stays_its_own)
{
	struct scene sc;
	json_t *root;

	NEED_SANDBOX();
	scene_open(&sc, "none");
	cr_assert_eq(host_path_manager(&sc.s.w.client, PM_KERNEL), 0);
	proc_end(&sc.s.client);
	stage_connect(&sc.s, "10.0.1.1", "1");
	root = info_json(&sc.s.w.client, (const char *[]){ "-p", "tcpclient", NULL });
	snprintf(sc.tokens[0], sizeof(sc.tokens[0]), "%lld",
		 number_at(root, "connections.0.token"));
	json_decref(root);
	proc_end(&sc.liar);
	liar_start(&sc, &sc.liar, "none");
	root = info_json(&sc.s.w.client, (const char *[]){ "-t", sc.tokens[0], NULL });
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "kernel");
	json_decref(root);
	scene_close(&sc);
}

Test(managers, managers_of_another_namespace_are_not_seen)
{
	struct scene sc;
	json_t *root;

	NEED_SANDBOX();
	scene_open(&sc, "none");
	root = info_json(&sc.s.w.server, NULL);
	cr_assert_eq(json_array_size(at(root, "managers")), 0);
	cr_assert_eq(with_manager(root, "kernel"), CONNECTIONS);
	json_decref(root);
	scene_close(&sc);
}
