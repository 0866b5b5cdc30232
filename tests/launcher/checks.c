// SPDX-License-Identifier: MIT
/*
 * checks.c - each problem of the machine, as run and as doctor print it
 *
 * Where they print what to type, typing it solves the problem.
 */
#include "launcher.h"

#include <stdio.h>
#include <unistd.h>

#define NO_RIGHTS    "setpriv", "--bounding-set", "-net_admin"
#define DENY(...)    "@tests/apps/deny", __VA_ARGS__
#define MPTCP_SOCKET "-", "262"
/* Before Linux 5.19 neither sysctl exists. */
#define NO_SYSCTL "unshare", "-m", "/bin/sh", "-c", without_sysctl, "sh"
static const char without_sysctl[] =
	"mount -t tmpfs none /proc/sys/net/mptcp && exec \"$@\"";

static const struct problem {
	const char *words;
	const char *prefix[8]; /* what starts the tool */
	const char *env;
	const char *sysctl, *value; /* of the client */
	bool kernel_manager;
	bool doctor_only;
	bool typed; /* it prints what to type */
} problems[] = {
	{ .words = "MPTCP is off in this network namespace",
	  .sysctl = "net/mptcp/enabled",
	  .value = "0",
	  .typed = true },
	{ .words = "the in-kernel path manager is active (net.mptcp.",
	  .kernel_manager = true,
	  .typed = true },
	{ .words = "this kernel has no MPTCP", .prefix = { DENY(MPTCP_SOCKET, "93") } },
	{ .words = "MPTCP sockets are refused (Operation not permitted)",
	  .prefix = { DENY(MPTCP_SOCKET, "1") } },
	{ .words = "only its own path manager", .prefix = { NO_SYSCTL } },
	{ .words = "no CAP_NET_ADMIN in this network namespace, and no broker",
	  .prefix = { NO_RIGHTS } },
	/* AF_NETLINK, NETLINK_SOCK_DIAG, EPROTONOSUPPORT */
	{ .words = "the kernel does not list MPTCP connections: ",
	  .prefix = { DENY("16", "4", "93") },
	  .doctor_only = true },
	{ .words = "MPTCPADDR_DISABLE is set", .env = "MPTCPADDR_DISABLE=1" },
	{ .words = "MPTCPADDR_BACKEND is \"brocker\", not broker, direct or none",
	  .env = "MPTCPADDR_BACKEND=brocker" },
	{ .words = "no broker answers in this network namespace",
	  .env = "MPTCPADDR_BACKEND=broker" },
};

static struct said run_tool(struct bench *b, const struct problem *problem,
			    const char *command, const char *program)
{
	const char *argv[16] = { NULL };
	int n = 0;

	for (; problem->prefix[n]; n++)
		argv[n] = problem->prefix[n];
	argv[n++] = "@mptcpaddr";
	argv[n++] = command;
	argv[n] = program;
	return run(b, problem->env ? ARGS(problem->env) : NULL, argv);
}

/* The command to type, after the first @before; free it. */
static char *find_command(const char *text, const char *before)
{
	const char *at = strstr(text, before);

	cr_assert(at, "no \"%s\" in: %s", before, text);
	at += strlen(before);
	return strndup(at, strcspn(at, "\n"));
}

static void check_problem(const struct problem *problem)
{
	struct said doctor, said;
	char *typed = NULL, *run_typed;
	struct bench b;

	bench_open(&b);
	if (problem->sysctl)
		cr_assert_eq(
			host_sysctl(&b.world.client, problem->sysctl, problem->value), 0);
	if (problem->kernel_manager)
		cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	doctor = run_tool(&b, problem, "doctor", NULL);
	cr_expect_eq(doctor.status, 1, "%s", problem->words);
	cr_expect_eq(count(doctor.out, "problem: "), 1, "%s", doctor.out);
	cr_expect_eq(count(doctor.out, problem->words), 1, "%s", doctor.out);
	cr_expect_geq(count(doctor.out, "\n    type: ") + count(doctor.out, "\n    do: "),
		      1, "%s", doctor.out);
	said = run_tool(&b, problem, "run", "@@hello");
	cr_expect_eq(times(&said, WARNING), problem->doctor_only ? 0 : 1, "%s", said.err);
	cr_expect_eq(times(&said, problem->words), problem->doctor_only ? 0 : 1, "%s",
		     said.err);
	cr_expect_eq(said.status, 1);
	cr_expect_str_eq(said.out, "secure=0\n");
	if (problem->typed) {
		typed = find_command(doctor.out, "\n    type: ");
		run_typed = find_command(said.err, "; type: ");
		cr_expect_str_eq(run_typed, typed);
		shell(&b, typed);
		says(&b, ARGS("@mptcpaddr", "doctor"), 0, "no problems found");
		warned_once(&b, ARGS("@@hello"), NULL);
		free(run_typed);
	}
	free(typed);
	said_free(&doctor);
	said_free(&said);
	bench_close(&b);
}

Test(checks, run_and_doctor_print_each_problem, TIMEOUT)
{
	NEED_SANDBOX();
	for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++)
		check_problem(&problems[i]);
}

/* One line each: fixing the first does not merely uncover the second. */
Test(checks, all_problems_are_printed_at_once, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	cr_assert_eq(host_sysctl(&b.world.client, "net/mptcp/enabled", "0"), 0);
	said = run(&b, NULL,
		   ARGS("@mptcpaddr", "run", "--no-supervise", "@@hello-static"));
	cr_expect_eq(times(&said, WARNING), 3, "%s", said.err);
	cr_expect_eq(said.status, 1);
	said_free(&said);
	bench_close(&b);
}

Test(checks, back_end_none_needs_no_rights, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL,
		   ARGS(NO_RIGHTS, "@mptcpaddr", "run", "--backend", "none", "@@hello"));
	cr_expect_str_eq(said.err, "");
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}

/* With mptcpaddrd itself, programs without rights have their pools. */
Test(checks, broker_replaces_rights, TIMEOUT)
{
	struct proc broker = { 0 };
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0, "other users have no broker\n");
	start_broker(&b, &broker);
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0, "may manage their paths\n");
	says(&b, ARGS(NO_RIGHTS, "@mptcpaddr", "doctor", "-v"), 0,
	     "ok: a broker serves programs without rights\n");
	said = run(
		&b, NULL,
		ARGS(NO_RIGHTS, "@mptcpaddr", "run", "--backend", "broker", "@@hello"));
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	says(&b, ARGS(NO_RIGHTS, "@mptcpaddr", "run", "--backend", "direct", "@@hello"),
	     1, "no CAP_NET_ADMIN in this network namespace");
	proc_end(&broker);
	bench_close(&b);
}

/* Another user took the broker's name: programs do not trust it, nor does doctor. */
Test(checks, broker_of_another_user_is_a_problem, TIMEOUT)
{
	struct proc false_broker = { 0 };
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(
		proc_start(&false_broker, &b.world.client,
			   ARGS("setpriv", "--reuid", "1000", "--regid", "1000",
				"--clear-groups", "socat",
				"ABSTRACT-LISTEN:mptcpaddr/broker,type=5,fork", "PIPE"),
			   NULL),
		0);
	wait_for_broker(&b);
	says(&b, ARGS("@mptcpaddr", "doctor"), 1,
	     "user 1000 holds the broker's socket name mptcpaddr/broker");
	proc_end(&false_broker);
	says(&b, ARGS("@mptcpaddr", "doctor"), 0, "no problems found");
	bench_close(&b);
}

/* As before Linux 6.15: the older sysctl alone. It is the kernel's own file. */
static const char older[] =
	"mkdir -p /run/older && touch /run/older/pm_type\n"
	"mount --bind /proc/sys/net/mptcp/pm_type /run/older/pm_type\n"
	"mount --rbind /run/older /proc/sys/net/mptcp\n"
	"[ \"$1\" = 1 ] && sysctl -qw net.mptcp.pm_type=1\n"
	"shift; exec \"$@\"";

#define OLDER(typed) "unshare", "-m", "/bin/sh", "-c", older, "sh", typed

Test(checks, older_setting_is_named_where_there_is_no_other, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	says(&b, ARGS(OLDER("0"), "@mptcpaddr", "run", "@@hello"), 1,
	     "; type: sysctl -w net.mptcp.pm_type=1\n");
	says(&b, ARGS(OLDER("0"), "@mptcpaddr", "doctor"), 1,
	     "\n    type: sysctl -w net.mptcp.pm_type=1\n");
	says(&b, ARGS(OLDER("1"), "@mptcpaddr", "doctor", "-v"), 0,
	     "new connections (net.mptcp.pm_type=1)\n");
	bench_close(&b);
}

/* Linux shows 6.18 as 2.6.78 to a program that asked for such numbers. */
#define OLD_KERNEL "setarch", "--uname-2.6"

Test(checks, doctor_prints_what_the_kernel_is_new_enough_for, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS(OLD_KERNEL, "@mptcpaddr", "doctor", "-v"), 0,
	     "endpoints with \"dev\" and \"backup\" no (6.9), the kernel's own laminar "
	     "endpoints no (6.18)\n");
	says(&b, ARGS("@mptcpaddr", "doctor", "-v"), 0,
	     "endpoints with \"dev\" and \"backup\" yes (6.9), the kernel's own laminar "
	     "endpoints ");
	user_pool(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	says(&b, ARGS(OLD_KERNEL, "@mptcpaddr", "doctor"), 1,
	     "cannot bind subflows to an interface");
	bench_close(&b);
}

/* Where systemd runs and has the unit, and elsewhere. */
Test(checks, broker_is_started_in_the_way_that_exists, TIMEOUT)
{
	static const char unit[] =
		"mount -t tmpfs none /usr/local/lib && "
		"mkdir -p /usr/local/lib/systemd/system /run/systemd/system && "
		"touch /usr/local/lib/systemd/system/mptcpaddrd.service && exec \"$@\"";
	static const char alone[] =
		"mount -t tmpfs none /run && cp \"$1\" \"$2\" \"$3\" /run && shift 3 && "
		"exec \"$@\"";
	char next_to_tool[PATH_MAX + 64];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* The tool's directory is outside of PATH. */
	snprintf(next_to_tool, sizeof(next_to_tool), "; type: %s -u\n",
		 path_of("mptcpaddrd"));
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c",
		  "mount -t tmpfs none /run && exec \"$@\"", "sh", "@mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, next_to_tool);
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c", alone, "sh", "@mptcpaddr",
		  "@libmptcpaddr.so", "@libmptcpaddr-pm.so", "/run/mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, "; type: mptcpaddrd -u\n");
	says(&b,
	     ARGS("unshare", "-m", "/bin/sh", "-c", unit, "sh", "@mptcpaddr", "run",
		  "--backend", "broker", "@@hello"),
	     1, "; type: systemctl enable --now mptcpaddrd\n");
	says(&b,
	     ARGS(NO_RIGHTS, "unshare", "-m", "/bin/sh", "-c", unit, "sh", "@mptcpaddr",
		  "run", "@@hello"),
	     1,
	     "; type: systemctl enable --now mptcpaddrd; or give the program "
	     "CAP_NET_ADMIN, see "
	     "EXAMPLES in mptcpaddr(8)\n");
	bench_close(&b);
}

Test(checks, users_are_told_to_type_sudo, TIMEOUT)
{
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	shell(&b, "mkdir /run/all && chmod 755 /run/all");
	says(&b,
	     ARGS("cp", "-v", "@mptcpaddr", "@libmptcpaddr.so", "@libmptcpaddr-pm.so",
		  "/run/all"),
	     0, "mptcpaddr");
	/* The broker also selects the userspace path manager: one problem, one remedy. */
	says(&b,
	     ARGS("setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "sh",
		  "-c",
		  "/run/all/mptcpaddr doctor | grep -o -e problem: -e 'type: sudo.*u$'"),
	     0, "problem:\ntype: sudo mptcpaddrd -u\n");
	says(&b, ARGS("@mptcpaddr", "doctor"), 1,
	     "\n    type: sysctl -w net.mptcp.path_manager=userspace\n");
	bench_close(&b);
}

/* sudo(8) sets HOME; the manual's command keeps it, so that the program finds its pool.
 */
Test(checks, command_that_gives_a_program_rights_works, TIMEOUT)
{
	static const char script[] =
		"set -e\n"
		"mkdir -p /run/rights-bin /run/rights-me/.config/mptcpaddr\n"
		"printf '#!/bin/sh\nHOME=/root exec \"$@\"\n' >/run/rights-bin/sudo\n"
		"chmod 755 /run/rights-bin/sudo\n"
		"printf '[pool]\nendpoint = 10.0.2.2\n' "
		">/run/rights-me/.config/mptcpaddr/hello.conf\n"
		"typed=$(sed -n '/^\\$ sudo setpriv/,/ run curl/p' "
		"tools/mptcpaddr/mptcpaddr.8 | sed 's/^\\$ //; s/\\\\e$//; "
		"s/mptcpaddr run.*//' | tr -d '\\n')\n"
		"unset XDG_CONFIG_HOME\n"
		"export HOME=/run/rights-me PATH=/run/rights-bin:$PATH\n"
		"eval \"$typed $1 run -v $2\"\n";
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("/bin/sh", "-c", script, "sh", "@mptcpaddr", "@@hello"), 1,
	     "pool file: /run/rights-me/.config/mptcpaddr/hello.conf (for \"hello\")\n");
	bench_close(&b);
}

Test(checks, doctor_writes_json, TIMEOUT)
{
	static const char script[] =
		"$0 doctor --json | jq -cr '.problems, .since_s, (.findings[] | "
		"select(.level == \"problem\") | .part, .text, .remedies[0]), "
		"([.findings[].level] | unique)'";
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	user_pool(&b, "curl.conf", "[pool]\nendpoint = 10.0.2.2 dev c2\n");
	cr_assert_eq(host_path_manager(&b.world.client, PM_KERNEL), 0);
	said = run(&b, NULL, ARGS("sh", "-c", script, path_of("mptcpaddr")));
	cr_expect(!strncmp(said.out, "1\nnull\nmachine\nthe in-kernel path manager is ",
			   40) &&
			  strstr(said.out,
				 "pools have no effect\n{\"type\":\"sysctl -w "
				 "net.mptcp.path_manager=userspace\",\"root\":true}"
				 "\n[\"ok\",\"problem\"]\n"),
		  "%s%s", said.out, said.err);
	said_free(&said);
	says(&b, ARGS("@mptcpaddr", "doctor", "-j", "--since", "0.1"), 1,
	     "\"since_s\":0.1,");
	bench_close(&b);
}
