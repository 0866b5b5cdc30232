// SPDX-License-Identifier: MIT
/*
 * doctor.c - mptcpaddr doctor: find what hinders programs under the library here
 *
 * Checks and never changes anything.
 */
#include "checks.h"
#include "command.h"
#include "library.h"
#include "pool_files.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER "libmptcpaddr-pm.so"

struct doctor {
	struct findings findings;
	struct devices devices;
	bool no_pool_file;
	unsigned int pools_on, pools_off; /* mptcp = yes, no */
	char off_path[256];		  /* one of the latter */
};

/* The two libraries, as a program would get them. */
static void check_libraries(struct findings *findings)
{
	char path[PATH_MAX], manager[PATH_MAX + 32];
	void *loaded;
	int r = library_find(path);

	if (r < 0) {
		report_problem(findings,
			       r == -ENOENT ? "do: install the package libmptcpaddr, or "
					      "type make install"
					    : "do: move this tool and " LIBRARY
					      " to another directory",
			       "%s %s", path, library_error(r));
		return;
	}
	snprintf(manager, sizeof(manager), "%.*s/" MANAGER,
		 (int)(strrchr(path, '/') - path), path);
	loaded = dlopen(manager, RTLD_LAZY | RTLD_LOCAL);
	if (!loaded) {
		report_problem(findings,
			       "do: put " MANAGER " next to " LIBRARY
			       ", and install the libraries that it needs",
			       "the path manager cannot be loaded, so pools have no "
			       "effect: %s",
			       dlerror());
		return;
	}
	dlclose(loaded);
	report_ok(findings, "library: %s", path);
}

static void on_pool_line(void *ctx, enum pool_line what, const char *text)
{
	static const char *const remedies[] = {
		[POOL_LINE_BAD] = "do: fix that line, see mptcpaddr.conf(5); until then "
				  "programs start without a pool",
		[POOL_DIRECTORY_BAD] = "do: make it a directory that your user can read; "
				       "until then none of its pool files is found",
		[POOL_LINE_UNUSABLE] = "do: connect that uplink, or correct the line; "
				       "\"ip address\" lists the addresses",
	};
	struct doctor *doctor = ctx;

	if (what == POOL_FILE_GOOD)
		report_ok(&doctor->findings, "%s", text);
	else
		report_problem(&doctor->findings, remedies[what], "%s", text);
}

static void add_pool_device(struct devices *devices, const char *name)
{
	unsigned int i;

	for (i = 0; i < devices->n; i++)
		if (!strcmp(devices->names[i], name))
			return;
	if (i < DEVICES_MAX)
		strcpy(devices->names[devices->n++], name);
}

static void on_pool(void *ctx, const char *path, const struct pool *pool)
{
	struct doctor *doctor = ctx;
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].dev[0])
			add_pool_device(&doctor->devices, pool->endpoints[i].dev);
	if (pool->mptcp) {
		doctor->pools_on++;
		return;
	}
	doctor->pools_off++;
	snprintf(doctor->off_path, sizeof(doctor->off_path), "%s", path);
	report_ok(&doctor->findings, "%s leaves its programs plain TCP (mptcp = no)",
		  path);
}

static void check_pools(struct doctor *doctor)
{
	const struct pool_reader reader = { on_pool_line, on_pool, doctor };
	const char *config = getenv("MPTCPADDR_CONFIG");
	const bool named = config && *config;
	int r = check_pool_files(&reader, named ? config : NULL);

	if (r < 0) {
		report_problem(&doctor->findings,
			       "do: allow netlink sockets for this program (a sandbox, "
			       "or a container's filter, refuses them)",
			       "the addresses of this machine: %s", strerror(-r));
	} else if (r == 0 && !named) {
		report_ok(&doctor->findings, "no pool file: MPTCP without a pool");
		doctor->no_pool_file = true;
	}
	/* The packages install one file, which does nothing until it is edited. */
	if (doctor->pools_off && !doctor->pools_on)
		report_problem(&doctor->findings,
			       "do: add your addresses to it and remove the line "
			       "mptcp = no, or write NAME.conf in its directory for the "
			       "program NAME",
			       "no program has a pool: %s leaves every program plain TCP",
			       doctor->off_path);
}

int cmd_doctor(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct doctor doctor = { .no_pool_file = false };
	int c;

	while ((c = command_option(argc, argv, "v", options)) == 'v')
		doctor.findings.verbose = true;
	if (c == '?')
		return EXIT_USAGE;
	if (optind < argc)
		return print_usage_error("doctor", "unexpected argument %s",
					 argv[optind]);
	check_libraries(&doctor.findings);
	check_pools(&doctor);
	check_machine(&doctor.findings, &doctor.devices);
	check_network(&doctor.findings, &doctor.devices);
	if (!doctor.findings.problems)
		puts(doctor.no_pool_file ? "no problems found, but there is no pool file "
					   "yet: see mptcpaddr.conf(5)"
					 : "no problems found");
	return fflush(stdout) || ferror(stdout) || doctor.findings.problems ? 1 : 0;
}
