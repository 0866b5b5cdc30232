// SPDX-License-Identifier: MIT
/*
 * real.c - mptcpinfo with the path manager of a preloaded program
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "info.h"
#include "mptcpaddr/control.h"
#include "shim.h"
#include "skip.h"
#include "until.h"

#define POOL_TEXT                                    \
	"[pool]\nendpoint = 10.0.2.2 id 7 laminar\n" \
	"endpoint = 10.0.3.2 laminar backup\n"
#define MORE	     "2500"  /* than fit in one page */
#define ECHOED	     5000005 /* its "hello" too */
#define FILES_NEEDED 3000

static void check_pair(const json_t *root, int i, int local_id, const char *local,
		       int remote_id, const char *remote)
{
	const json_t *sf = json_array_get(at(root, "connections.0.subflows"), i);

	cr_assert_eq(number_at(sf, "local_id"), local_id);
	cr_assert_eq(number_at(sf, "remote_id"), remote_id);
	cr_assert_eq(strncmp(text_at(sf, "local"), local, strlen(local)), 0, "%s",
		     text_at(sf, "local"));
	cr_assert_str_eq(text_at(sf, "remote"), remote);
}

Test(real, manager_and_its_pairs_are_shown)
{
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	root = info_json(&s.w.client, NULL);
	cr_assert_str_eq(text_at(root, "connections.0.manager"), "direct");
	cr_assert_str_eq(text_at(root, "connections.0.program"), "tcpclient");
	cr_assert_eq(number_at(root, "connections.0.pid"), s.client.pid);
	/* The kernel chooses the order of announcements: 12, then 13. */
	check_pair(root, 0, 0, "10.0.1.2:", 0, "10.0.1.1:" SERVER_PORT);
	check_pair(root, 1, 1, "10.0.3.2:", 13, "10.0.3.1:" SERVER_PORT);
	check_pair(root, 2, 7, "10.0.2.2:", 12, "10.0.2.1:" SERVER_PORT);
	cr_assert(json_is_true(at(root, "connections.0.subflows.1.backup")));
	cr_assert(json_is_false(at(root, "connections.0.subflows.2.backup")));
	cr_assert_eq(number_at(root, "managers.0.pid"), s.client.pid);
	cr_assert_str_eq(text_at(root, "managers.0.backend"), "direct");
	cr_assert_str_eq(text_at(root, "managers.0.pool_file"), pool_path());
	cr_assert_null(json_object_get(at(root, "managers.0"), "pool_error"));
	cr_assert_eq(number_at(root, "managers.0.counters.connections"), 1);
	cr_assert_eq(number_at(root, "managers.0.counters.add_addr_joined"), 2);
	cr_assert_eq(number_at(root, "managers.0.counters.subflows_established"), 2);
	json_decref(root);
	stage_close(&s);
}

Test(real, options_that_MPTCP_refused_are_named)
{
	const char *const argv[] = { "socat", "-",
				     "TCP:10.0.1.1:" SERVER_PORT ",oobinline", NULL };
	struct shim_env env;
	struct said said;
	struct stage s;
	json_t *root;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	cr_assert_eq(
		proc_start(&s.client, &s.w.client, argv, shim_env(&env, pool_path())), 0);
	cr_assert_eq(proc_tell(&s.client, "hello\n"), 0);
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	root = info_json(&s.w.client, NULL);
	cr_expect_str_eq(text_at(root, "managers.0.options_refused"),
			 "SO_OOBINLINE: ignored");
	json_decref(root);
	said = info(&s.w.client, NULL);
	cr_expect(strstr(said.out, "  refused    SO_OOBINLINE: ignored\n"), "%s",
		  said.out);
	stage_close(&s);
}

Test(real, option_that_made_the_socket_TCP_is_named)
{
	const char *const argv[] = { "socat", "-", "TCP:10.0.1.1:" SERVER_PORT ",ttl=9",
				     NULL };
	struct shim_env env;
	struct said said;
	struct stage s;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	cr_assert_eq(
		proc_start(&s.client, &s.w.client, argv, shim_env(&env, pool_path())), 0);
	cr_assert_eq(proc_tell(&s.client, "hello\n"), 0);
	cr_assert(WAIT_FOR(proc_said(&s.client, "hello")));
	/* A plain connection does not wait for the manager. */
	cr_expect(WAIT_FOR(({
			  said = info(&s.w.client, NULL);
			  strstr(said.out, "]  no MPTCP connection\n"
					   "  refused    IP_TTL: plain TCP\n");
		  })),
		  "%s", said.out);
	stage_close(&s);
}

Test(real, bytes_of_the_subflows_add_up_to_those_of_the_program)
{
	long long got = 0, again;
	const json_t *sf;
	struct stage s;
	json_t *root;
	size_t i;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 3));
	proc_tell(&s.client, "echo 5000000");
	cr_assert(WAIT_FOR(proc_said(&s.client, "echoed")));
	root = info_json(&s.w.client, NULL);
	json_array_foreach((json_t *)at(root, "connections.0.subflows"), i, sf) got +=
		number_at(sf, "bytes_received");
	cr_assert_eq(number_at(root, "connections.0.mptcp_info.bytes_received"), ECHOED);
	json_decref(root);
	/* Data that the server resent on another path arrived twice; it may do so at any
	 * time: ask the server last. */
	root = info_json(&s.w.server, NULL);
	again = number_at(root, "connections.0.mptcp_info.bytes_retrans");
	json_decref(root);
	cr_assert_geq(got, ECHOED);
	cr_assert_leq(got, ECHOED + again, "%lld, of which %lld twice", got, again);
	stage_close(&s);
}

Test(real, more_connections_than_one_page_are_all_direct)
{
	struct rlimit files;
	const json_t *conn;
	struct stage s;
	json_t *root;
	int n = 0;
	size_t i;

	NEED_SANDBOX();
	cr_assert_gt(atoi(MORE), CTL_PAGE_MAX);
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < FILES_NEEDED)
		SKIP("the limit of open files is below 3000");
	stage_open(&s, 1);
	pool_write(POOL_TEXT);
	cr_assert_eq(host_path_manager(&s.w.client, PM_USERSPACE), 0);
	stage_preloaded(&s, MORE);
	root = info_json(&s.w.client, NULL);
	json_array_foreach((json_t *)at(root, "connections"), i, conn) n +=
		strcmp(text_at(conn, "manager"), "direct") == 0;
	cr_assert_eq(n, atoi(MORE), "%d are direct", n);
	cr_assert_eq(number_at(root, "managers.0.counters.connections"), atoi(MORE));
	json_decref(root);
	stage_close(&s);
}

/* A silent connection to the manager of @pid. */
static int stay_connected(const struct host *h, pid_t pid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, len;

	cr_assert_eq(host_enter(h), 0);
	len = sprintf(addr.sun_path + 1, CTL_NAME_PREFIX "%d", pid) + 1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* It may listen only after the first connect() has returned. */
	cr_assert(WAIT_FOR(connect(fd, (struct sockaddr *)&addr,
				   offsetof(struct sockaddr_un, sun_path) + len) == 0));
	return fd;
}

/* Its accepted sockets have its name, too. */
Test(real, manager_is_listed_once_while_others_are_connected_to_it)
{
	struct stage s;
	json_t *root;
	int fd;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	fd = stay_connected(&s.w.client, s.client.pid);
	root = info_json(&s.w.client, NULL);
	cr_assert_eq(json_array_size(at(root, "managers")), 1);
	cr_assert_str_eq(text_at(root, "managers.0.backend"), "direct");
	json_decref(root);
	close(fd);
	stage_close(&s);
}

static size_t managers_on(const struct host *h)
{
	json_t *root = info_json(h, NULL);
	size_t n = json_array_size(at(root, "managers"));

	json_decref(root);
	return n;
}

Test(real, manager_vanishes_with_its_program)
{
	struct stage s;

	NEED_SANDBOX();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	cr_assert(WAIT_FOR(managers_on(&s.w.client) == 1));
	proc_end(&s.client);
	cr_assert_eq(managers_on(&s.w.client), 0);
	stage_close(&s);
}
