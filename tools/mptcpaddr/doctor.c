// SPDX-License-Identifier: MIT
/*
 * doctor.c - mptcpaddr doctor: what hinders programs under the library on this machine
 *
 * Looks and never changes anything. A finding is a line "problem: ..." and what to do
 * about it below; what is well is told with -v.
 */
#include "doctor.h"
#include "command.h"
#include "library.h"
#include "pools.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANAGER "libmptcpaddr-pm.so"

static void line(const char *kind, const char *fmt, va_list ap)
{
	fputs(kind, stdout);
	vprintf(fmt, ap);
	putchar('\n');
}

#define LINE(kind)                    \
	do {                          \
		va_list ap_;          \
		va_start(ap_, fmt);   \
		line(kind, fmt, ap_); \
		va_end(ap_);          \
	} while (0)

void problem(struct doctor *doctor, const char *fmt, ...)
{
	doctor->findings++;
	LINE("problem: ");
}

void type_this(const char *fmt, ...)
{
	LINE("    type: ");
}

void do_this(const char *fmt, ...)
{
	LINE("    do: ");
}

void well(const struct doctor *doctor, const char *fmt, ...)
{
	if (doctor->verbose)
		LINE("ok: ");
}

/* The two libraries, as a program would get them. */
void doctor_library(struct doctor *doctor)
{
	const char *disable = getenv("MPTCPADDR_DISABLE");
	char path[PATH_MAX], manager[PATH_MAX + 32];
	void *loaded;
	int r = library_find(path);

	if (disable && *disable && strcmp(disable, "0")) {
		problem(doctor, "MPTCPADDR_DISABLE is set: the library does nothing in "
				"programs started from here");
		type_this("unset MPTCPADDR_DISABLE");
	}
	if (r < 0) {
		problem(doctor, "%s %s", path, library_error(r));
		do_this(r == -ENOENT
				? "install the package libmptcpaddr, or type make install"
				: "put this tool and " LIBRARY " into another folder");
		return;
	}
	snprintf(manager, sizeof(manager), "%.*s/" MANAGER,
		 (int)(strrchr(path, '/') - path), path);
	loaded = dlopen(manager, RTLD_LAZY | RTLD_LOCAL);
	if (!loaded) {
		problem(doctor,
			"the path manager cannot be loaded, so no program has a "
			"pool: %s",
			dlerror());
		do_this("put " MANAGER " beside " LIBRARY ", and install what it needs");
		return;
	}
	dlclose(loaded);
	well(doctor, "library: %s", path);
}

static void on_pool_line(void *ctx, enum pools_what what, const char *text)
{
	struct doctor *doctor = ctx;

	switch (what) {
	case POOLS_GOOD:
		well(doctor, "%s", text);
		break;
	case POOLS_ERROR:
		problem(doctor, "%s", text);
		do_this("mend that line: see mptcpaddr.conf(5); until then a program "
			"that is started has no pool");
		break;
	case POOLS_FOLDER:
		problem(doctor, "%s", text);
		do_this("make it a folder that your user can read: until then no pool "
			"file is found there");
		break;
	case POOLS_ABSENT:
		problem(doctor, "%s", text);
		do_this("connect that uplink, or correct the line; \"ip address\" shows "
			"what there is");
		break;
	}
}

static void note_device(struct doctor *doctor, const char *name)
{
	unsigned int i;

	for (i = 0; i < doctor->n_devices; i++)
		if (!strcmp(doctor->devices[i], name))
			return;
	if (i < sizeof(doctor->devices) / sizeof(*doctor->devices))
		strcpy(doctor->devices[doctor->n_devices++], name);
}

static void on_pool(void *ctx, const char *path, const struct pool *pool)
{
	struct doctor *doctor = ctx;
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++)
		if (pool->endpoints[i].dev[0])
			note_device(doctor, pool->endpoints[i].dev);
	if (pool->mptcp) {
		doctor->pools_in_use++;
		return;
	}
	doctor->pools_off++;
	snprintf(doctor->pool_off, sizeof(doctor->pool_off), "%s", path);
	well(doctor, "%s leaves its programs alone (mptcp = no)", path);
}

void doctor_pools(struct doctor *doctor)
{
	const struct pools_reader reader = { on_pool_line, on_pool, doctor };
	const char *config = getenv("MPTCPADDR_CONFIG");
	const bool named = config && *config;
	int r = named ? pools_file(&reader, config) : pools_folders(&reader);

	if (r < 0) {
		problem(doctor, "the addresses of this machine: %s", strerror(-r));
		do_this("let this program use netlink sockets (a sandbox, or a filter of "
			"a container, refuses them)");
	} else if (r == 0 && !named) {
		well(doctor, "no pool file, so MPTCP without a pool");
		doctor->no_pool = true;
	}
	/* As the packages bring it: one file, which does nothing until it is edited. */
	if (doctor->pools_off && !doctor->pools_in_use) {
		problem(doctor, "no program has a pool: %s leaves every program alone",
			doctor->pool_off);
		do_this("put your addresses into it and take the line mptcp = no away, "
			"or write a file NAME.conf beside it for the program NAME");
	}
}

int cmd_doctor(int argc, char *argv[])
{
	struct doctor doctor = { .verbose = false };

	if (argc == 2 && (!strcmp(argv[1], "-v") || !strcmp(argv[1], "--verbose")))
		doctor.verbose = true;
	else if (argc > 1)
		return usage_error("doctor", "there is no option %s", argv[1]);
	doctor_library(&doctor);
	doctor_pools(&doctor);
	doctor_kernel(&doctor);
	doctor_devices(&doctor);
	doctor_firewall(&doctor);
	doctor_counters(&doctor);
	if (!doctor.findings)
		puts(doctor.no_pool ? "nothing found that hinders, but there is no pool "
				      "file yet: see mptcpaddr.conf(5)"
				    : "nothing found that hinders");
	return fflush(stdout) || ferror(stdout) || doctor.findings ? 1 : 0;
}
