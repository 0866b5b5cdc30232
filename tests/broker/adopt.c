// SPDX-License-Identifier: MIT
/*
 * adopt.c - static programs that use MPTCP by themselves get the pool of their [program]
 */
#include "broker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const two[] = { "10.0.2.1", "10.0.3.1", NULL };
static const char *const native[] = { "@tests/broker-native", "10.0.1.1", LAB_PORT,
				      NULL };

/* The pairs of a native program of @uid; @cgroup: NULL or a directory. */
static void pairs_are(struct lab *lab, uid_t uid, const char *cgroup, const char *pairs)
{
	const char *in_cgroup[] = { "sh", "-c",	      NULL,	"sh",
				    NULL, "10.0.1.1", LAB_PORT, NULL };
	char path[PATH_MAX], command[PATH_MAX + 64], *got;
	struct proc client;
	int joins = 0;

	for (const char *c = pairs; *c; c++)
		joins += *c == '-';
	if (cgroup) {
		snprintf(command, sizeof(command),
			 "echo $$ >%s/cgroup.procs && exec \"$@\"", cgroup);
		in_cgroup[2] = command;
		in_cgroup[4] = built("tests/broker-native", path, sizeof(path));
	}
	lab_start(lab, &client, uid, NULL, cgroup ? in_cgroup : native);
	cr_assert(WAIT_FOR(proc_said(&client, "connected")), "%s", proc_errors(&client));
	WAIT_FOR(joined_count(&lab->world.client) == joins);
	nap_ms(100); /* and no more */
	got = pairs_text(&lab->world.client, 0, false);
	cr_expect_str_eq(got, pairs, "user %u: \"%s\", not \"%s\"", uid, got, pairs);
	free(got);
	proc_end(&client);
	cr_assert(WAIT_FOR(joined_count(&lab->world.client) == 0));
}

/* A broker that adopts ALICE's programs. */
static void adopting_broker(struct lab *lab)
{
	char config[256];

	snprintf(config, sizeof(config),
		 "[broker]\nadopt = yes\n[program \"uid:%d\"]\npool = %s\n", ALICE,
		 lab->pool);
	lab_broker(lab, config);
}

#define BOTH "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1"

Test(adopt, keepalive_of_a_pool_is_said_to_have_no_effect)
{
	char *text;
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	put_text(lab.pool, POOL_23 "[app]\nkeepalive = 30s\n");
	adopting_broker(&lab);
	pairs_are(&lab, ALICE, NULL, BOTH);
	text = proc_errors(&lab.broker);
	cr_expect(strstr(text, "keepalive has no effect on adopted connections"), "%s",
		  text);
	free(text);
	lab_start(&lab, &client, ALICE, NULL,
		  (const char *const[]){ "@mptcpinfo", "--counters", NULL });
	cr_expect_eq(proc_wait(&client, EFFECT_MS), 0);
	text = proc_output(&client);
	cr_expect(strstr(text, "keepalive has no effect on adopted connections"), "%s",
		  text);
	free(text);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(adopt, a_static_program_gets_the_pool_of_its_user)
{
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	adopting_broker(&lab);
	pairs_are(&lab, ALICE, NULL, BOTH);
	pairs_are(&lab, BOB, NULL, "");
	lab_broker_end(&lab);
	lab_close(&lab);
}

Test(adopt, nothing_is_adopted_without_adopt_yes)
{
	char config[256];
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	snprintf(config, sizeof(config), "[program \"uid:%d\"]\npool = %s\n", ALICE,
		 lab.pool);
	lab_broker(&lab, config);
	pairs_are(&lab, ALICE, NULL, "");
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* A program with the preload library keeps its own pool. */
Test(adopt, a_registered_pool_comes_first)
{
	char own[64], *got;
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, two);
	snprintf(own, sizeof(own), "%s/own.conf", lab.dir);
	put_text(own, "[pool]\nendpoint = 10.0.4.2 laminar\n");
	adopting_broker(&lab);
	lab_start(&lab, &client, ALICE, own, tcpclient_argv);
	cr_assert(WAIT_FOR(proc_said(&client, "connected 1\n")));
	WAIT_FOR(joined_count(&lab.world.client) == 1);
	nap_ms(200);
	got = pairs_text(&lab.world.client, 0, false);
	cr_expect(!strncmp(got, "10.0.4.2-10.0.", 14) && !strchr(got, ' '), "%s", got);
	free(got);
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

/* Connections from before the broker started. */
Test(adopt, earlier_connections_are_adopted)
{
	static const char *const none[] = { NULL };
	const struct endpoint_spec second = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	struct proc client;
	struct lab lab;

	NEED_USERS();
	lab_open(&lab, none);
	lab_start(&lab, &client, ALICE, NULL, native);
	cr_assert(WAIT_FOR(proc_said(&client, "connected")));
	adopting_broker(&lab);
	cr_assert_eq(endpoint_add(&lab.world.server, &second), 0);
	cr_expect(WAIT_FOR(joined_count(&lab.world.client) == 1));
	proc_end(&client);
	lab_broker_end(&lab);
	lab_close(&lab);
}

static const char *cgroup_root(void)
{
	return access("/sys/fs/cgroup/cgroup.controllers", F_OK) < 0
		       ? "/sys/fs/cgroup/unified"
		       : "/sys/fs/cgroup";
}

/* A cgroup that the user may move to; cgroups_end() removes it. */
static bool cgroup_make(char *ret_path, size_t size, const char *name)
{
	char procs[PATH_MAX];

	snprintf(ret_path, size, "%s%s", cgroup_root(), name);
	if (mkdir(ret_path, 0755) < 0 && errno != EEXIST)
		return false;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", ret_path);
	return chown(procs, ALICE, ALICE) == 0;
}

static bool cgroup_gone(const char *path)
{
	return rmdir(path) == 0 || errno == ENOENT;
}

Test(adopt, a_static_program_gets_the_pool_of_its_cgroup_or_unit)
{
	char slice[PATH_MAX], unit[PATH_MAX], other[PATH_MAX], name[128], config[1024];
	char pool2[64], *said, *pool2_line;
	struct lab lab;

	NEED_USERS();
	snprintf(name, sizeof(name), "/mptcptest%d.slice", getpid());
	if (!cgroup_make(slice, sizeof(slice), name))
		SKIP("cannot create a cgroup");
	snprintf(name, sizeof(name), "/mptcptest%d.slice/web.service", getpid());
	cr_assert(cgroup_make(unit, sizeof(unit), name));
	snprintf(name, sizeof(name), "/mptcptest%d.slice/%060d", getpid(), 0);
	cr_assert(cgroup_make(other, sizeof(other), name));

	lab_open(&lab, two);
	snprintf(pool2, sizeof(pool2), "%s/two.conf", lab.dir);
	put_text(pool2, "[pool]\nendpoint = 10.0.3.2 laminar\n");
	snprintf(config, sizeof(config),
		 "[broker]\nadopt = yes\n[program \"unit:web.service\"]\npool = %s\n"
		 "[program \"cgroup:%s\"]\npool = %s\n",
		 lab.pool, name, pool2);
	lab_broker(&lab, config);
	pairs_are(&lab, 0, unit, BOTH);
	pairs_are(&lab, 0, other, "10.0.3.2-10.0.2.1");
	pairs_are(&lab, 0, other, "10.0.3.2-10.0.2.1");
	pairs_are(&lab, 0, slice, "");
	/* One client for both, although its name was cut. */
	said = proc_errors(&lab.broker);
	pool2_line = strstr(said, pool2);
	cr_expect(pool2_line && !strstr(pool2_line + 1, pool2), "%s", said);
	free(said);
	lab_broker_end(&lab);
	lab_close(&lab);
	cr_expect(
		WAIT_FOR(cgroup_gone(unit) && cgroup_gone(other) && cgroup_gone(slice)));
}
