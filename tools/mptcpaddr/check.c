// SPDX-License-Identifier: MIT
/*
 * check.c - mptcpaddr check: every error of pool files, and what is not on this machine
 */
#include "command.h"
#include "lookup.h"
#include "pools.h"

#include <stdio.h>
#include <string.h>

static void tell(void *ctx, enum pools_what what, const char *text)
{
	bool *failed = ctx;

	*failed |= what == POOLS_ERROR || what == POOLS_FOLDER;
	puts(text);
}

static int check_folders(const struct pools_reader *reader)
{
	char user[PATH_MAX], system[PATH_MAX];
	int n = pools_folders(reader);

	lookup_folders(user, system);
	if (!n)
		printf("there is no pool file in %s%s%s\n", user, *user ? " or " : "",
		       system);
	return n;
}

int cmd_check(int argc, char *argv[])
{
	bool failed = false;
	const struct pools_reader reader = { .tell = tell, .ctx = &failed };
	int i = 1, r = 0;

	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	else if (i < argc && argv[i][0] == '-')
		return usage_error("check", "there is no option %s", argv[i]);
	if (i == argc)
		r = check_folders(&reader);
	for (; i < argc && r >= 0; i++)
		r = pools_file(&reader, argv[i]);
	if (r < 0) {
		fprintf(stderr, "mptcpaddr check: the addresses of this machine: %s\n",
			strerror(-r));
		return 1;
	}
	return fflush(stdout) || ferror(stdout) || failed ? 1 : 0;
}
