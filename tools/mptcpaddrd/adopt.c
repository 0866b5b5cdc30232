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

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX     6	   /* of nested slices */
#define DIRS_MAX      2000 /* searched for one unit */
#define CACHE_SIZE    64
#define WARN_EVERY_MS 10000
#define CACHE_MS      500
#define WAIT_MS	      20 /* for connect() to return and register */

void adopt_add_candidate(struct broker *b, const struct pm_event *ev)
{
	struct candidate *candidate;

	if (!b->policy.adopt || ev->type != PM_EVENT_ESTABLISHED ||
	    b->n_candidates == CANDIDATES_MAX)
		return;
	candidate =
		&b->candidates[(b->first_candidate + b->n_candidates++) % CANDIDATES_MAX];
	*candidate = (struct candidate){ ev->token, ev->server_side, clock_ms() };
}

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

struct unit_search {
	const char *unit;
	uint64_t id;
	unsigned int dirs;
};

/* Search slices only: a service may name the cgroups below it as it likes. */
static bool search_slice(struct unit_search *search, const char *path, int depth)
{
	const struct dirent *entry;
	char below[512];
	bool found;
	size_t len;
	DIR *dir;

	if (snprintf(below, sizeof(below), "%s/%s", path, search->unit) <
		    (int)sizeof(below) &&
	    dir_has_inode(search->id, below))
		return true;
	if (depth == DEPTH_MAX || search->dirs++ == DIRS_MAX)
		return false;
	dir = opendir(path);
	found = false;
	while (dir && !found && (entry = readdir(dir))) {
		len = strlen(entry->d_name);
		if (entry->d_type != DT_DIR || len < 7 ||
		    strcmp(entry->d_name + len - 6, ".slice") != 0)
			continue;
		if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) <
		    (int)sizeof(below))
			found = search_slice(search, below, depth + 1);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool program_matches(const struct policy_program *program,
			    const struct diag_owner *owner)
{
	struct unit_search search = { .unit = program->name, .id = owner->cgroup };
	char path[512];

	switch (program->kind) {
	case PROGRAM_UID:
		return owner->uid == program->uid;
	case PROGRAM_CGROUP:
		return snprintf(path, sizeof(path), "%s%s", cgroup_root(),
				program->name) < (int)sizeof(path) &&
		       dir_has_inode(owner->cgroup, path);
	case PROGRAM_UNIT:
		return owner->cgroup && search_slice(&search, cgroup_root(), 0);
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

void adopt_candidates(struct broker *b)
{
	const int64_t before = clock_ms() - WAIT_MS;
	struct candidate *candidate;

	while (b->n_candidates) {
		candidate = &b->candidates[b->first_candidate];
		if (candidate->since_ms > before)
			return;
		b->first_candidate = (b->first_candidate + 1) % CANDIDATES_MAX;
		b->n_candidates--;
		if (!client_conn_find(b, candidate->token))
			adopt_connection(b, candidate->token, candidate->server_side);
	}
}

int adopt_timeout(const struct broker *b)
{
	if (!b->n_candidates)
		return -1;
	return clock_left_ms(b->candidates[b->first_candidate].since_ms + WAIT_MS + 1);
}
