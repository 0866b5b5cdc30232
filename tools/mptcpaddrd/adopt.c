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
#include "shim/pool/endpoint.h"
#include "shim/pool/ini_reader.h"

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
#define WAIT_MS	      100 /* for connect() to return and register on a busy machine */

/* cgroup 2 alone, or with cgroup 1 ("hybrid"). */
static const char *cgroup_root(void)
{
	struct stat st;

	return stat("/sys/fs/cgroup/cgroup.controllers", &st) < 0 &&
			       stat("/sys/fs/cgroup/unified", &st) == 0
		       ? "/sys/fs/cgroup/unified"
		       : "/sys/fs/cgroup";
}

/*
 * Whether the cgroup @id has the path @name, or one below up to @depth_max slices. Not
 * below services: they may name their cgroups as they like.
 */
static bool cgroup_has_name(uint64_t id, const char *name, int depth_max)
{
	const int slice_len = strlen(SLICES) / DEPTH_MAX;
	char pattern[512];
	bool found = false;
	struct stat st;
	glob_t paths;
	size_t i;
	int depth;

	for (depth = 0; id && depth <= depth_max && !found; depth++) {
		snprintf(pattern, sizeof(pattern), "%s%.*s/%s", cgroup_root(),
			 depth * slice_len, SLICES, name);
		/* Names of units contain backslashes. */
		if (glob(pattern, GLOB_NOSORT | GLOB_NOESCAPE, NULL, &paths) != 0)
			continue;
		for (i = 0; i < paths.gl_pathc; i++)
			found |= stat(paths.gl_pathv[i], &st) == 0 && st.st_ino == id;
		globfree(&paths);
	}
	return found;
}

static bool program_matches(const struct policy_program *program,
			    const struct diag_owner *owner)
{
	switch (program->kind) {
	case PROGRAM_UID:
		return owner->uid == program->uid;
	case PROGRAM_CGROUP:
		return cgroup_has_name(owner->cgroup, program->name, 0);
	case PROGRAM_UNIT:
		return cgroup_has_name(owner->cgroup, program->name, DEPTH_MAX);
	}
	return false;
}

static struct found {
	uint64_t cgroup;
	uid_t uid;
	const struct policy_program *program; /* NULL: none */
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
	struct found *known = &cache[(owner->cgroup ^ owner->uid) % CACHE_SIZE];
	int i;

	if (known->until_ms >= clock_ms() && known->cgroup == owner->cgroup &&
	    known->uid == owner->uid)
		return known->program;
	*known = (struct found){ owner->cgroup, owner->uid, NULL, clock_ms() + CACHE_MS };
	for (i = b->policy.n_programs - 1; i >= 0; i--) /* the first match */
		if (program_matches(&b->policy.programs[i], owner))
			known->program = &b->policy.programs[i];
	return known->program;
}

/* The first connection makes the client. */
static struct client *adopt_get_client(struct broker *b,
				       const struct policy_program *program, uid_t uid)
{
	static struct record record;
	static int64_t logged_ms;
	struct broker_program *id = &record.program;
	struct user *user = user_get(b, uid);
	struct pool_error why = { "" };
	struct client *client = NULL;
	int r;

	snprintf(id->program, sizeof(id->program), "%.63s", program->name);
	snprintf(id->path, sizeof(id->path), "%s", program->pool);
	r = user ? read_pool_file(&record) : -ENOMEM;
	if (r == 0)
		client = client_get(b, user, &record, true, &why);
	else
		pool_error_set(&why, r, "%s", ini_file_error(r));
	/* Each connection would log the same line. */
	if (client || (logged_ms && clock_ms() - logged_ms < WARN_EVERY_MS))
		return client;
	logged_ms = clock_ms();
	log_warning("adopting: %s: %s", r < 0 ? id->path : program->name, why.text);
	return NULL;
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

	if (diag_read_owner(b->pump.diag_fd, token, &owner) < 0)
		return;
	program = adopt_find_program(b, &owner);
	client = program ? adopt_get_client(b, program, owner.uid) : NULL;
	if (!client || (server_side && !client_announces(client)) ||
	    client_register(b, client, token, false, 0, owner.cookie) < 0)
		return;
	b->registrations++;
	log_debug("token 0x%08x: adopted for %s", token, program->name);
	dispatch_early(b, client, token);
}

/* The first held event that adopt_candidates() has not seen; they are sorted by time. */
static unsigned int first_unseen(const struct broker *b)
{
	unsigned int i = b->pump.early.n;

	while (i && b->pump.early.v[i - 1].since_ms > b->adopted_ms)
		i--;
	return i;
}

void adopt_candidates(struct broker *b)
{
	static struct pm_event due[EARLY_MAX];
	const struct early_event *held = b->pump.early.v;
	const int64_t before = clock_ms() - WAIT_MS;
	unsigned int i = first_unseen(b), n = 0;

	for (; i < b->pump.early.n && held[i].since_ms <= before; i++)
		if (b->policy.adopt && held[i].ev.type == PM_EVENT_ESTABLISHED)
			due[n++] = held[i].ev;
	b->adopted_ms = before;
	for (i = 0; i < n; i++)
		if (!client_conn_find(b, due[i].token))
			adopt_connection(b, due[i].token, due[i].server_side);
}

int adopt_timeout(const struct broker *b)
{
	const unsigned int i = first_unseen(b);

	if (!b->policy.adopt || i == b->pump.early.n)
		return -1;
	return clock_left_ms(b->pump.early.v[i].since_ms + WAIT_MS + 1);
}
