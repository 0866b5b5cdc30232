// SPDX-License-Identifier: MIT
/*
 * adopt.c - manage connections of programs that use MPTCP without the preload library
 *
 * If a connection is not registered shortly after it was established, sock_diag is asked
 * for its user and control group, which select a [program] of the policy. A cgroup's ID
 * is the inode of its directory. A service gets a new one at each start, so it is looked
 * up when a connection needs it.
 */
#include "broker.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SLICES	      "/*.slice/*.slice/*.slice/*.slice/*.slice/*.slice"
#define DEPTH_MAX     6 /* of nested slices: those of SLICES */
#define CACHE_SIZE    64
#define WARN_EVERY_MS 10000
#define CACHE_MS      500
#define WAIT_MS	      20 /* for connect() to return and register */

/* cgroup 2 alone, or with cgroup 1 ("hybrid"). */
static const char *cgroup_root(void)
{
	struct stat st;

	return stat("/sys/fs/cgroup/cgroup.controllers", &st) < 0 &&
			       stat("/sys/fs/cgroup/unified", &st) == 0
		       ? "/sys/fs/cgroup/unified"
		       : "/sys/fs/cgroup";
}

static bool dir_has_inode(uint64_t id, const char *path)
{
	struct stat st;

	return id && stat(path, &st) == 0 && st.st_ino == id;
}

/* Search slices only: a service may name the cgroups below it as it likes. */
static bool unit_has_inode(uint64_t id, const char *unit)
{
	const int slice_len = strlen(SLICES) / DEPTH_MAX;
	char pattern[512];
	bool found = false;
	glob_t paths;
	size_t i;
	int depth;

	for (depth = 0; id && depth <= DEPTH_MAX && !found; depth++) {
		snprintf(pattern, sizeof(pattern), "%s%.*s/%s", cgroup_root(),
			 depth * slice_len, SLICES, unit);
		/* Names of units contain backslashes. */
		if (glob(pattern, GLOB_NOSORT | GLOB_NOESCAPE, NULL, &paths) != 0)
			continue;
		for (i = 0; i < paths.gl_pathc; i++)
			found |= dir_has_inode(id, paths.gl_pathv[i]);
		globfree(&paths);
	}
	return found;
}

static bool program_matches(const struct policy_program *program,
			    const struct diag_owner *owner)
{
	char path[512];

	switch (program->kind) {
	case PROGRAM_UID:
		return owner->uid == program->uid;
	case PROGRAM_CGROUP:
		return snprintf(path, sizeof(path), "%s%s", cgroup_root(),
				program->name) < (int)sizeof(path) &&
		       dir_has_inode(owner->cgroup, path);
	case PROGRAM_UNIT:
		return unit_has_inode(owner->cgroup, program->name);
	}
	return false;
}

static struct found {
	uint64_t cgroup;
	uid_t uid;
	int program; /* -1: none */
	int64_t until_ms;
} cache[CACHE_SIZE];

void adopt_clear_cache(void)
{
	memset(cache, 0, sizeof(cache));
}

/*
 * The result is cached for a moment: the search visits all slices, and any user may open
 * a thousand connections a second.
 */
static const struct policy_program *adopt_find_program(const struct broker *b,
						       const struct diag_owner *owner)
{
	struct found *known;
	int i;

	known = &cache[(owner->cgroup ^ owner->uid) % CACHE_SIZE];
	if (known->until_ms < clock_ms() || known->cgroup != owner->cgroup ||
	    known->uid != owner->uid) {
		known->cgroup = owner->cgroup;
		known->uid = owner->uid;
		known->until_ms = clock_ms() + CACHE_MS;
		known->program = -1;
		for (i = b->policy.n_programs - 1; i >= 0; i--) /* the first match */
			if (program_matches(&b->policy.programs[i], owner))
				known->program = i;
	}
	return known->program < 0 ? NULL : &b->policy.programs[known->program];
}

/* Otherwise each connection would log the same line. */
static void adopt_warn(const char *about, const char *what)
{
	static int64_t logged_ms;

	if (logged_ms && clock_ms() - logged_ms < WARN_EVERY_MS)
		return;
	logged_ms = clock_ms();
	log_warning("adopting: %s: %s", about, what);
}

/* The first connection makes the client. */
static struct client *adopt_get_client(struct broker *b,
				       const struct policy_program *program, uid_t uid)
{
	static struct record record;
	struct broker_program *id = &record.program;
	struct user *user = user_get(b, uid);
	struct pool_error why = { "" };
	struct client *client = NULL;
	int r;

	snprintf(id->program, sizeof(id->program), "%.63s", program->name);
	snprintf(id->path, sizeof(id->path), "%s", program->pool);
	r = read_pool_file(&record);
	if (r < 0) {
		adopt_warn(id->path, strerror(-r));
		return NULL;
	}
	if (user)
		client = client_get(b, user, &record, true, &why);
	if (!client)
		adopt_warn(program->name, why.text[0] ? why.text : strerror(ENOMEM));
	return client;
}

/* For a server, a manager is useful only if its pool announces addresses. */
static bool client_announces(const struct client *client)
{
	const struct pool *pool = client->watch.pool;
	unsigned int i;

	for (i = 0; i < pool->n_sections; i++)
		if (pool->sections[i].kinds & MPTCP_PM_ADDR_FLAG_SIGNAL)
			return true;
	return false;
}

void adopt_connection(struct broker *b, uint32_t token, bool server_side)
{
	const struct policy_program *program;
	struct diag_owner owner;
	struct client *client;

	if (diag_read_owner(b->diag_fd, token, &owner) < 0)
		return;
	program = adopt_find_program(b, &owner);
	client = program ? adopt_get_client(b, program, owner.uid) : NULL;
	if (!client || (server_side && !client_announces(client)) ||
	    client_register(b, client, token, false, owner.cookie) < 0)
		return;
	b->registrations++;
	log_debug("token 0x%08x: adopted for %s", token, program->name);
	dispatch_early(b, token);
}

/* The ESTABLISHED of a connection that nobody has registered so far. */
static bool is_candidate(const struct broker *b, const struct early_event *held)
{
	return b->policy.adopt && held->ev.type == PM_EVENT_ESTABLISHED &&
	       held->since_ms > b->adopted_ms;
}

void adopt_candidates(struct broker *b)
{
	const struct early_events *early = &b->pump.early;
	const int64_t before = clock_ms() - WAIT_MS;
	struct pm_event due[EARLY_MAX];
	unsigned int i, n = 0;

	for (i = 0; i < early->n; i++)
		if (is_candidate(b, &early->v[i]) && early->v[i].since_ms <= before)
			due[n++] = early->v[i].ev;
	b->adopted_ms = before;
	for (i = 0; i < n; i++)
		if (!client_conn_find(b, due[i].token))
			adopt_connection(b, due[i].token, due[i].server_side);
}

int adopt_timeout(const struct broker *b)
{
	const struct early_event *held = b->pump.early.v;
	unsigned int i;

	for (i = 0; i < b->pump.early.n; i++)
		if (is_candidate(b, &held[i]))
			return clock_left_ms(held[i].since_ms + WAIT_MS + 1);
	return -1;
}
