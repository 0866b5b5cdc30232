// SPDX-License-Identifier: MIT
/*
 * hazards.c - what will not work for a program under the library
 *
 * The checklist of a preload library, told before the program starts: the kernel, the
 * pool file, and the program's own file.
 */
#include "hazards.h"
#include "broker_probe.h"
#include "elf.h"
#include "finding.h"
#include "kernel.h"
#include "library.h"
#include "lookup.h"
#include "mptcpaddr/pool.h"
#include "mptcpaddr/uapi.h"
#include "privileged.h"

#include "shim/pool/endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void tell_library_off(void)
{
	const char *disable = getenv("MPTCPADDR_DISABLE");

	if (disable && *disable && strcmp(disable, "0"))
		warn("MPTCPADDR_DISABLE is set: the library does nothing; unset it");
}

static bool broker_answers(void)
{
	uid_t uid;

	return broker_find(&uid) == 0 && uid == 0;
}

/* Who would manage the paths: the program itself, or root's broker. */
static void tell_rights(const char *backend)
{
	bool broker = broker_answers();

	if (!strcmp(backend, "broker")) {
		if (!broker)
			warn("no broker answers in this network namespace: MPTCP works, "
			     "but without the pool; type: %s",
			     broker_start());
		return;
	}
	if (kernel_may_manage() != -EPERM || (broker && strcmp(backend, "direct") != 0))
		return;
	warn("no CAP_NET_ADMIN in this network namespace, and no broker: MPTCP works, "
	     "but without the pool; type: %s, or: " RUN_WITH_RIGHTS,
	     broker_start(), program_invocation_name);
}

static void tell_manager(void)
{
	const char *backend = getenv("MPTCPADDR_BACKEND"), *setting;

	if (backend && !strcmp(backend, "none"))
		return; /* no path manager is asked for */
	if (backend && *backend && strcmp(backend, "broker") && strcmp(backend, "direct"))
		warn("MPTCPADDR_BACKEND is \"%s\", not broker, direct or none: MPTCP "
		     "works, but without the pool",
		     backend);
	switch (kernel_pm(&setting)) {
	case KERNEL_PM_USERSPACE:
		break;
	case KERNEL_PM_KERNEL:
		warn("the kernel is the path manager here: MPTCP works, but without the "
		     "pool; type: %ssysctl -w %s",
		     AS_ROOT, setting);
		break;
	case KERNEL_PM_UNKNOWN:
		warn("this kernel has no path managers but its own: MPTCP works, but "
		     "without the pool; it takes Linux 5.19 or later");
		return;
	}
	tell_rights(backend ?: "");
}

static void tell_kernel(void)
{
	switch (kernel_mptcp()) {
	case MPTCP_THERE:
		break;
	case MPTCP_OFF:
		warn("MPTCP is off in this network namespace, connections will be plain "
		     "TCP; type: %ssysctl -w net.mptcp.enabled=1",
		     AS_ROOT);
		break;
	case MPTCP_ABSENT:
		warn("this kernel has no MPTCP, connections will be plain TCP; it takes "
		     "Linux 5.19 or later with CONFIG_MPTCP");
		return;
	case MPTCP_REFUSED:
		warn("MPTCP sockets are refused here, by a sandbox perhaps: connections "
		     "will be plain TCP; let it allow socket() with protocol %d",
		     IPPROTO_MPTCP);
		return;
	}
	tell_manager();
}

static void say_endpoint(const struct pool *pool, const struct endpoint *ep)
{
	const struct mpprefix *prefix = &pool->sections[ep->section].prefix;
	char text[ENDPOINT_TEXT_MAX], to[MPADDR_TEXT_MAX];

	if (prefix->addr.family == AF_UNSPEC)
		say("endpoint: %s (line %u)", endpoint_text(ep, text), ep->line);
	else
		say("endpoint: %s (line %u), to %s/%u", endpoint_text(ep, text), ep->line,
		    mpaddr_text(&prefix->addr, to), prefix->len);
}

static bool is_default(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && !strcmp(slash, "/default.conf");
}

/* The broker keeps the pool that it read from that file before. */
static void tell_wrong_pool(const char *why)
{
	const char *backend = getenv("MPTCPADDR_BACKEND");
	const bool broker =
		(!backend || !*backend || !strcmp(backend, "broker")) && broker_answers();

	warn("%s; the program runs without a pool until that is mended%s; \"mptcpaddr "
	     "check\" tells every error",
	     why, broker ? ", unless the broker has an older one of that file" : "");
}

/* Return: whether the library is to do anything in this program. */
static bool tell_pool(const char *name, bool verbose)
{
	struct pool_error why;
	struct pool *pool;
	char path[PATH_MAX];
	bool mptcp;
	unsigned int i;
	int r = lookup_pool(name, path);

	if (r == -ENOENT) {
		if (verbose)
			say("pool file: none for \"%s\", so MPTCP without a pool", name);
		return true;
	}
	if (verbose)
		say("pool file: %s (for \"%s\")", path, name);
	if (pool_load(path, &pool, &why) < 0) {
		tell_wrong_pool(why.text);
		return true;
	}
	for (i = 0; verbose && i < pool->n_endpoints; i++)
		say_endpoint(pool, &pool->endpoints[i]);
	mptcp = pool->mptcp;
	/* As the packages bring it; somebody's own file says it on purpose. */
	if (!mptcp && is_default(path))
		warn("%s says mptcp = no, so the program is left alone; write "
		     "~/.config/mptcpaddr/%s.conf, or name a pool file with --pool",
		     path, name);
	else if (!mptcp && verbose)
		say("mptcp = no in that file: the program is left alone");
	pool_free(pool);
	return mptcp;
}

/* The library for @program, if there is one, or the one for this tool's own kind. */
static int read_library(const struct hazards *h, const struct binary *program,
			struct binary *ret)
{
	char other[PATH_MAX];
	unsigned int i;
	int r = binary_read(h->library, ret);

	if (r < 0 || binary_same_kind(program, ret))
		return r;
	for (i = 0; library_other(h->library, i, other); i++)
		if (binary_read(other, ret) == 0 && binary_same_kind(program, ret))
			return 0;
	return binary_read(h->library, ret);
}

/* Whether the program's file can be preloaded into; a warning if not. */
static void tell_binary(struct hazards *h)
{
	const char *path = h->program.path, *libc;
	struct binary library, program;

	/* One that may be run and not read, or that is no ELF file: nobody knows. */
	if (binary_read(path, &program) < 0 || read_library(h, &program, &library) < 0)
		return;
	libc = binary_foreign_libc(&program);
	h->cannot_load = libc || !binary_same_kind(&program, &library);
	if (!binary_same_kind(&program, &library)) {
		char kind[48];

		snprintf(kind, sizeof(kind), "%s", binary_kind(&program));
		warn("%s is a %s program, the library is %s: its connections stay as "
		     "they "
		     "are; use a build of the program or of the library that matches",
		     path, kind, binary_kind(&library));
	} else if (program.go) {
		warn("%s is a Go program, which makes its system calls itself, past any "
		     "library: its connections stay as they are; GODEBUG=multipathtcp=1 "
		     "gives MPTCP without a pool if it was built with Go 1.21 or later",
		     path);
	} else if (!program.loads_libraries) {
		warn("%s is a static program, which loads no library: its connections "
		     "stay as they are; use a dynamically linked build",
		     path);
	} else if (libc) {
		warn("%s uses another C library (%s), the library needs glibc: its "
		     "connections stay as they are; use a build for glibc",
		     path, libc);
	}
}

static void tell_secure(const char *path)
{
	const char *reason = secure_reason(path);

	if (reason)
		warn("%s is %s: the system keeps preloaded libraries out of it, its "
		     "connections stay as they are; run it as the user whose rights it "
		     "takes, or a copy of it without them",
		     path, reason);
}

void hazards_tell(struct hazards *hazards, bool verbose)
{
	const struct program *program = &hazards->program;

	if (verbose && program->script[0])
		say("program: %s, run by %s", program->script, program->path);
	else if (verbose)
		say("program: %s", program->path);
	tell_library_off();
	if (tell_pool(program->name, verbose))
		tell_kernel();
	tell_binary(hazards);
	tell_secure(program->path);
}
