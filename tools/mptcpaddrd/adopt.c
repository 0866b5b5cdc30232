// SPDX-License-Identifier: MIT
/*
 * adopt.c - connections of programs that speak MPTCP by themselves
 *
 * A connection that nobody has registered a moment after it was established is looked
 * up in the kernel: its user and its control group decide which [program] it is of.
 */
#include "cgroup.h"
#include "daemon.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_SIZE  64
#define COMPLAIN_MS 10000
#define CACHE_MS    500
#define WAIT_MS	    20 /* for the connect() under a shim to return and register */

void adopt_note(struct broker *b, const struct pm_event *ev)
{
	struct newcomer *newcomer;

	if (!b->policy.adopt || ev->type != PM_EVENT_ESTABLISHED ||
	    b->n_newcomers == NEWCOMERS_MAX)
		return;
	newcomer = &b->newcomers[(b->first_newcomer + b->n_newcomers++) % NEWCOMERS_MAX];
	*newcomer = (struct newcomer){ ev->token, ev->server_side, clock_ms() };
}

static bool is_of(const struct policy_program *program, const struct token_owner *owner)
{
	switch (program->kind) {
	case PROGRAM_UID:
		return owner->uid == program->uid;
	case PROGRAM_CGROUP:
		return cgroup_is(owner->cgroup, program->name);
	case PROGRAM_UNIT:
		return cgroup_is_unit(owner->cgroup, program->name);
	}
	return false;
}

static struct found {
	uint64_t cgroup;
	uid_t uid;
	int program; /* -1: none */
	int64_t until_ms;
} cache[CACHE_SIZE];

void adopt_forget(void)
{
	memset(cache, 0, sizeof(cache));
}

/*
 * For a moment, what was found is taken for what there is: units are looked for in all
 * slices, and anybody may open a thousand connections in a second.
 */
static const struct policy_program *program_of(const struct broker *b,
					       const struct token_owner *owner)
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
		for (i = b->policy.n_programs - 1; i >= 0; i--) /* the first one counts */
			if (is_of(&b->policy.programs[i], owner))
				known->program = i;
	}
	return known->program < 0 ? NULL : &b->policy.programs[known->program];
}

/* Each connection would bring the same line again. */
static void complain(const char *about, const char *what)
{
	static int64_t said_ms;

	if (said_ms && clock_ms() - said_ms < COMPLAIN_MS)
		return;
	said_ms = clock_ms();
	log_warning("adopting: %s: %s", about, what);
}

/* Its client, which is made with the first connection. */
static struct client *client_of(struct broker *b, const struct policy_program *program,
				uid_t uid)
{
	struct account *account = account_get(&b->accounts, uid);
	struct pool_error why = { "" };
	struct client *client = NULL;
	char *text;
	size_t len;
	int r;

	r = read_whole(program->pool, &text, &len);
	if (r < 0) {
		complain(program->pool, strerror(-r));
		return NULL;
	}
	if (account)
		client = client_get(b, account, program->name, program->pool, text, len,
				    program, &why, &r);
	if (!client)
		complain(program->name,
			 why.text[0] ? why.text : strerror(r < 0 ? -r : ENOMEM));
	free(text);
	return client;
}

/* A server has something to gain only if its pool announces addresses. */
static bool announces(const struct client *client)
{
	const struct pool *pool = client->watch.pool;
	unsigned int i;

	for (i = 0; i < pool->n_sections; i++)
		if (pool->sections[i].kinds & MPTCP_PM_ADDR_FLAG_SIGNAL)
			return true;
	return false;
}

void adopt_one(struct broker *b, uint32_t token, bool server_side)
{
	const struct policy_program *program;
	struct token_owner owner;
	struct client *client;

	if (token_ask(b->diag_fd, token, &owner) < 0)
		return;
	program = program_of(b, &owner);
	client = program ? client_of(b, program, owner.uid) : NULL;
	if (!client || (server_side && !announces(client)) ||
	    client_register(b, client, token, false, owner.cookie) < 0)
		return;
	b->registrations++;
	log_debug("token 0x%08x: adopted for %s", token, program->name);
	work_replay(b, token);
}

void adopt_due(struct broker *b)
{
	const int64_t before = clock_ms() - WAIT_MS;
	struct newcomer *newcomer;

	while (b->n_newcomers) {
		newcomer = &b->newcomers[b->first_newcomer];
		if (newcomer->since_ms > before)
			return;
		b->first_newcomer = (b->first_newcomer + 1) % NEWCOMERS_MAX;
		b->n_newcomers--;
		if (!held_find(b, newcomer->token))
			adopt_one(b, newcomer->token, newcomer->server_side);
	}
}

int adopt_timeout(const struct broker *b)
{
	int64_t left;

	if (!b->n_newcomers)
		return -1;
	left = b->newcomers[b->first_newcomer].since_ms + WAIT_MS + 1 - clock_ms();
	return left > 0 ? (int)left : 0;
}
