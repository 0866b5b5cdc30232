// SPDX-License-Identifier: MIT
/*
 * users.c - a manager answers only its own user and root
 *
 * Needs a second user in the sandbox, which only root can map.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "info.h"
#include "skip.h"
#include "until.h"

#define BUILT	  "/run/info-built" /* the user may not read the build directory */
#define POOL_TEXT "[pool]\nendpoint = 10.0.2.2 laminar\nendpoint = 10.0.3.2 laminar\n"

static bool second_user(void)
{
	unsigned int first, outside, count, n = 0;
	FILE *f = fopen("/proc/self/uid_map", "re");

	while (f && fscanf(f, "%u %u %u", &first, &outside, &count) == 3)
		n += count;
	if (f)
		fclose(f);
	return n > 1;
}

#define NEED_SECOND_USER()                                                  \
	do {                                                                \
		NEED_SANDBOX();                                             \
		if (!second_user())                                         \
			SKIP("only root can have a second user in a test"); \
	} while (0)

static void show_built(void)
{
	char path[PATH_MAX];

	mkdir(BUILT, 0755);
	/* Other tests share this mount namespace: it may exist already. */
	cr_assert_eq(mount(built("", path, PATH_MAX), BUILT, NULL, MS_BIND, NULL), 0);
}

/* An ordinary TCP program under the library, of user 1, with the right that it needs. */
static void start_of_user(const struct stage *s, struct proc *p)
{
	char config[96];
	static const char client[] = BUILT "/tests/apps/tcpclient";
	const char *const env[] = { "LD_PRELOAD=" BUILT "/libmptcpaddr.so", config,
				    "ASAN_OPTIONS=verify_asan_link_order=0", NULL };
	const char *const argv[] = { "setpriv",
				     "--reuid=1",
				     "--keep-groups",
				     "--inh-caps=+net_admin",
				     "--ambient-caps=+net_admin",
				     client,
				     "10.0.1.1",
				     SERVER_PORT,
				     NULL };

	snprintf(config, sizeof(config), "MPTCPADDR_CONFIG=%s", pool_path());
	cr_assert_eq(proc_start(p, &s->w.client, argv, env), 0);
	cr_assert(WAIT_FOR(proc_said(p, "connected")), "%s", proc_errors(p));
}

static struct said info_of_user(const struct stage *s)
{
	static const char mptcpinfo[] = BUILT "/mptcpinfo";

	return run(&s->w.client,
		   (const char *[]){ "setpriv", "--reuid=1", "--keep-groups",
				     "--inh-caps=-all", mptcpinfo, "--json", NULL });
}

static const json_t *of_uid(const json_t *root, int uid)
{
	const json_t *conn;
	size_t i;

	json_array_foreach((json_t *)at(root, "connections"), i, conn)
	{
		if (number_at(conn, "uid") == uid)
			return conn;
	}
	cr_assert_fail("no connection of user %d", uid);
	return NULL;
}

Test(users, manager_answers_its_user_and_root_and_refuses_others)
{
	struct proc other = { 0 };
	struct said said;
	struct stage s;
	json_t *root;

	NEED_SECOND_USER();
	show_built();
	pool_write(POOL_TEXT);
	stage_announcing(&s);
	stage_preloaded(&s, "1");
	start_of_user(&s, &other);
	cr_assert(WAIT_FOR(subflows_on(&s.w.client) == 6));

	root = info_json(&s.w.client, NULL);
	cr_assert_eq(json_array_size(at(root, "managers")), 2);
	cr_assert_str_eq(text_at(of_uid(root, 0), "manager"), "direct");
	cr_assert_str_eq(text_at(of_uid(root, 1), "manager"), "direct");
	cr_assert_eq(number_at(of_uid(root, 1), "pid"), other.pid);
	cr_assert_eq(json_array_size(at(of_uid(root, 1), "announced")), 2);
	json_decref(root);

	said = info_of_user(&s);
	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_assert(
		strstr(said.err,
		       "managers of other users, which answer only these and root: 1\n"),
		"%s", said.err);
	root = json_loads(said.out, 0, NULL);
	cr_assert(root);
	cr_assert_str_eq(text_at(of_uid(root, 1), "manager"), "direct");
	cr_assert_eq(number_at(of_uid(root, 1), "pid"), other.pid);
	cr_assert_eq(json_array_size(at(of_uid(root, 1), "subflows")), 3);
	cr_assert_eq(json_array_size(at(of_uid(root, 1), "announced")), 2);
	/* Other users' connections show only public data of the kernel. */
	cr_assert_null(json_object_get(of_uid(root, 0), "manager"));
	cr_assert_null(json_object_get(of_uid(root, 0), "pid"));
	cr_assert_null(json_object_get(of_uid(root, 0), "announced"));
	cr_assert_eq(json_array_size(at(of_uid(root, 0), "subflows")), 3);
	json_decref(root);
	said_free(&said);
	proc_end(&other);
	stage_close(&s);
}
