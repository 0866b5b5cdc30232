// SPDX-License-Identifier: MIT
/*
 * doctor.c - mptcpaddr doctor: find what hinders programs under the library here
 *
 * Checks and never changes anything.
 */
#include "library.h"
#include "pool_files.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER "libmptcpaddr-pm.so"

/* The two libraries, as a program would get them. */
static void check_libraries(struct findings *findings)
{
	char path[PATH_MAX], manager[PATH_MAX + 32];
	const char *error = library_find(path);
	void *loaded;

	if (error) {
		report_problem(findings, "%s %s\n%s", path, error,
			       access(path, R_OK) < 0
				       ? "do: install the package libmptcpaddr, or type "
					 "make install"
				       : "do: move this tool and " LIBRARY
					 " to another directory");
		return;
	}
	snprintf(manager, sizeof(manager), "%.*s/" MANAGER,
		 (int)(strrchr(path, '/') - path), path);
	loaded = dlopen(manager, RTLD_LAZY | RTLD_LOCAL);
	if (!loaded) {
		report_problem(findings,
			       "the path manager cannot be loaded, so pools have no "
			       "effect: %s\n"
			       "do: put " MANAGER " next to " LIBRARY
			       ", and install the libraries that it needs",
			       dlerror());
		return;
	}
	dlclose(loaded);
	report_ok(findings, "library: %s", path);
}

/* Return: whether there is any pool file. */
static bool check_pools(struct pool_files *files)
{
	const char *config = getenv("MPTCPADDR_CONFIG");
	const bool named = config && *config;
	int r = check_pool_files(files, named ? config : NULL);

	if (r < 0)
		report_problem(&files->findings,
			       "the addresses of this machine: %s\n"
			       "do: allow netlink sockets for this program (a sandbox, "
			       "or a container's filter, refuses them)",
			       strerror(-r));
	else if (r == 0 && !named)
		report_ok(&files->findings, "no pool file: MPTCP without a pool");
	/* The packages install one file, which does nothing until it is edited. */
	if (files->off && !files->on)
		report_problem(
			&files->findings,
			"no program has a pool: %s leaves every program plain TCP\n"
			"do: add your addresses to it and remove the line mptcp = "
			"no, or write NAME.conf in its directory for the program "
			"NAME",
			files->off_path);
	return r || named;
}

int cmd_doctor(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct pool_files files = { .findings.by = FOUND_BY_DOCTOR };
	bool any_pool;
	int c;

	while ((c = command_option(argc, argv, ":v", options)) == 'v')
		files.findings.verbose = true;
	if (c == '?')
		return EXIT_USAGE;
	if (optind < argc)
		return print_usage_error("doctor", "unexpected argument %s",
					 argv[optind]);
	check_libraries(&files.findings);
	any_pool = check_pools(&files);
	check_machine(&files.findings, &files.devices);
	if (!files.findings.problems)
		puts(any_pool ? "no problems found"
			      : "no problems found, but there is no pool file yet: see "
				"mptcpaddr.conf(5)");
	return fflush(stdout) || ferror(stdout) || files.findings.problems;
}
