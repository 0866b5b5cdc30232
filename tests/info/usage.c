// SPDX-License-Identifier: MIT
/*
 * usage.c - the command line of mptcpinfo, and output that cannot be written
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "info.h"

static void check_status(const char *const args[], int status, const char *err)
{
	struct said said = info(NULL, args);

	cr_assert_eq(said.status, status, "%s: %d", args[0], said.status);
	cr_assert(strstr(said.err, err), "%s", said.err);
	said_free(&said);
}

Test(usage, wrong_command_lines_are_refused)
{
	check_status((const char *[]){ "--frob", NULL }, 2, "--frob");
	check_status((const char *[]){ "-t", "12x", NULL }, 2, "12x: not a token");
	check_status((const char *[]){ "-t", "0x100000000", NULL }, 2, "not a token");
	check_status((const char *[]){ "-t", "-1", NULL }, 2, "not a token");
	check_status((const char *[]){ "curl", NULL }, 2,
		     "curl: unexpected argument (a program: -p NAME,");
	check_status((const char *[]){ "-r", "10.0.0.1/8", NULL }, 2, "10.0.0.1/8: not");
	check_status((const char *[]){ "-r", "host", NULL }, 2, "host: not");
	check_status((const char *[]){ "-w", "-i", "0", NULL }, 2, "0: not a number");
	check_status((const char *[]){ "-i", "2", NULL }, 2, "only with --watch");
	check_status((const char *[]){ "-j", "--prometheus", NULL }, 2, "not together");
	check_status((const char *[]){ "--prometheus", "-w", NULL }, 2,
		     "includes the counters");
	check_status((const char *[]){ "-e", "-c", NULL }, 2, "not together");
	check_status((const char *[]){ "-l", "-j", NULL }, 2, "only for the table");
	check_status((const char *[]){ "run", NULL }, 2, "which program?");
	check_status((const char *[]){ "run", "--", NULL }, 2, "which program?");
	check_status((const char *[]){ "run", "-w", "true", NULL }, 2, "not together");
	check_status((const char *[]){ "--report", "x", NULL }, 2, "only with run");
	check_status((const char *[]){ "-w", "run", "true", NULL }, 2, "not together");
}

Test(usage, help_and_version_need_nothing)
{
	struct said said = info(NULL, (const char *[]){ "--help", NULL });

	cr_assert_eq(said.status, 0);
	cr_assert(strstr(said.out, "--token TOKEN"));
	said_free(&said);
	said = info(NULL, (const char *[]){ "--version", NULL });
	cr_assert_eq(said.status, 0);
	cr_assert(strstr(said.out, "mptcpinfo "));
	said_free(&said);
}

Test(usage, full_disk_is_an_error)
{
	static const char *const views[] = { "", "--json", "--counters",
					     "--json --counters", "--prometheus" };
	char path[512], command[600];
	const char *const argv[] = { "sh", "-c", command, NULL };
	struct said said;

	built("mptcpinfo", path, sizeof(path));
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		snprintf(command, sizeof(command), "'%s' %s >/dev/full", path, views[i]);
		said = run(NULL, argv);
		cr_assert_eq(said.status, 1, "%s", command);
		cr_assert(strstr(said.err, "output: "), "%s", said.err);
		said_free(&said);
	}
}
