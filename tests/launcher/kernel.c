// SPDX-License-Identifier: MIT
/*
 * kernel.c - what the kernel lacks, or is not set to
 */
#include "launcher.h"

#include <stdio.h>

/* What follows "; type: " in what it said, to the end of the line. */
static char *advice(const struct said *said)
{
	char *at = strstr(said->err, "; type: ");

	cr_assert(at, "%s", said->err);
	at += strlen("; type: ");
	return strndup(at, strcspn(at, "\n"));
}

/* One warning with @words; doing what it says ends it. */
static void one_setting(struct bench *b, const char *words)
{
	struct said said = run(b, NULL, ARGS("@mptcpaddr", "run", "@@hello"));
	char *type;

	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, words), 1, "%s", said.err);
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.out, "secure=0\n");
	type = advice(&said);
	said_free(&said);
	said = run(b, NULL, ARGS("/bin/sh", "-c", type));
	cr_expect_eq(said.status, 0, "%s: %s", type, said.err);
	free(type);
	said_free(&said);
	warned_once(b, ARGS("@@hello"), NULL);
}

Test(kernel, launcher_says_that_mptcp_is_off_and_what_to_type, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_sysctl(&b.world.client, "net/mptcp/enabled", "0"), 0);
	one_setting(&b, "MPTCP is off in this network namespace");
	bench_close(&b);
}

Test(kernel, launcher_says_that_the_kernel_manages_paths_and_what_to_type, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	one_setting(&b, "the in-kernel path manager is active (net.mptcp.");
	bench_close(&b);
}

/* Both at once, one line each: mending the first does not only uncover the second. */
Test(kernel, each_hindrance_is_told, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/mptcp/enabled", "0"), 0);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "@@hello-static"));
	cr_expect_eq(times(&said, WARNING), 3, "%s", said.err);
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}

/* A sandbox that answers as a kernel without MPTCP does, and one that refuses. */
static void denied(const char *error, const char *words)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS("@tests/apps/deny", "-", "262", error, path_of("mptcpaddr"),
			"run", path_of("tests/launcher-progs/hello")));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, words), 1, "%s", said.err);
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}

Test(kernel, launcher_says_that_the_kernel_has_no_mptcp, TIMEOUT)
{
	denied("93", "this kernel has no MPTCP"); /* EPROTONOSUPPORT */
}

Test(kernel, launcher_says_that_a_sandbox_refuses_mptcp, TIMEOUT)
{
	denied("1", "MPTCP sockets are refused (Operation not permitted)"); /* EPERM */
}

Test(kernel, launcher_says_that_the_kernel_has_no_other_path_manager, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* As before Linux 5.19: neither sysctl. */
	said = run(&b, NULL,
		   ARGS("unshare", "-m", "/bin/sh", "-c",
			"mount -t tmpfs none /proc/sys/net/mptcp && exec \"$@\"", "sh",
			"@mptcpaddr", "run", "@@hello"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, "only its own path manager"), 1, "%s", said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}

Test(kernel, launcher_says_that_there_is_no_cap_net_admin, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "run",
			"@@hello"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, "no CAP_NET_ADMIN in this network namespace"), 1, "%s",
		     said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	cr_expect_eq(said.status, 1);
	said_free(&said);
	/* Without a path manager it takes none. */
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-net_admin", "@mptcpaddr", "run",
			"--backend", "none", "@@hello"));
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

Test(kernel, launcher_says_that_the_broker_asked_for_is_not_there, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "--backend", "broker", "@@hello"));
	cr_expect_eq(times(&said, WARNING), 1, "%s", said.err);
	cr_expect_eq(times(&said, "no broker answers in this network namespace"), 1, "%s",
		     said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}
