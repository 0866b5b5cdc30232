// SPDX-License-Identifier: MIT
/*
 * play.c - play a history to an engine and check its commands
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mpaddr at(const char *text)
{
	const char *port = strrchr(text, ':'), *end = text + strlen(text);
	struct mpaddr addr;
	char ip[64];

	if (*text == '[') {
		end = strchr(text, ']');
		port = end[1] == ':' ? end + 1 : NULL;
		text++;
	} else if (port && strchr(text, ':') == port) {
		end = port;
	} else {
		port = NULL;
	}
	snprintf(ip, sizeof(ip), "%.*s", (int)(end - text), text);
	cr_assert_eq(mpaddr_parse(ip, &addr), 0, "\"%s\" is not an address", ip);
	addr.port = port ? strtoul(port + 1, NULL, 10) : 0;
	return addr;
}

struct pool *pool_from(const char *source)
{
	int fd = memfd_create("pool", MFD_CLOEXEC);
	char *text = strdup(source);
	struct pool_error why;
	struct pool *pool;
	char path[64];

	for (char *p = text; (p = strchr(p, '|'));)
		*p = '\n';
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(write(fd, text, strlen(text)), strlen(text));
	cr_assert_eq(pool_load(path, &pool, &why), 0, "%s", why.text);
	close(fd);
	free(text);
	return pool;
}

void play_open(struct play *play, const char *pool_text)
{
	*play = (struct play){ .pool = pool_from(pool_text), .port = 40000 };
	play->engine = engine_new(play->pool);
	cr_assert(play->engine);
}

void play_close(struct play *play)
{
	struct pm_conn_report views[16];
	unsigned int i, n;
	uint64_t next;

	n = engine_report(play->engine, 0, 16, views, NULL, &next);
	for (i = 0; i < n; i++)
		play_closed(play, views[i].token);
	cr_assert_eq(engine_conns(play->engine), 0, "connections are left");
	cr_assert_eq(engine_used_ids(play->engine), 0, "used IDs are left");
	engine_free(play->engine);
	pool_free(play->pool);
}

static void step(struct play *play, const struct pm_event *ev)
{
	play->out.n = 0;
	cr_assert_eq(engine_handle(play->engine, ev, &play->out), 0, "event %s refused",
		     pm_event_name(ev->type));
}

static void connect_as(struct play *play, const struct pm_registration *reg,
		       const char *local, const char *remote)
{
	struct pm_event ev = {
		.type = PM_EVENT_CREATED,
		.token = reg->token,
		.family = *local == '[' ? AF_INET6 : AF_INET,
		.local = at(local),
		.remote = at(remote),
	};

	ev.local.port = ++play->port;
	cr_assert_eq(engine_register(play->engine, reg), 0);
	step(play, &ev);
	ev.type = PM_EVENT_ESTABLISHED;
	step(play, &ev);
}

void play_connect(struct play *play, uint32_t token, const char *local,
		  const char *remote)
{
	connect_as(play, &(struct pm_registration){ .token = token }, local, remote);
}

void play_connect_v6only(struct play *play, uint32_t token, const char *local,
			 const char *remote)
{
	connect_as(play, &(struct pm_registration){ .token = token, .v6only = true },
		   local, remote);
}

void play_announce(struct play *play, uint32_t token, uint8_t remote_id,
		   const char *remote)
{
	step(play, &(struct pm_event){ .type = PM_EVENT_ANNOUNCED,
				       .token = token,
				       .remote_id = remote_id,
				       .remote = at(remote) });
}

void play_remove(struct play *play, uint32_t token, uint8_t remote_id)
{
	step(play, &(struct pm_event){ .type = PM_EVENT_REMOVED,
				       .token = token,
				       .remote_id = remote_id });
}

void play_closed(struct play *play, uint32_t token)
{
	step(play, &(struct pm_event){ .type = PM_EVENT_CLOSED, .token = token });
	wanted_none(play);
}

void play_answer(struct play *play, const struct pm_cmd *cmd, int error)
{
	play->out.n = 0;
	engine_result(play->engine, cmd, error, &play->out);
}

static struct pm_event of_cmd(const struct play *play, const struct pm_cmd *cmd)
{
	struct pm_event ev = {
		.token = cmd->token,
		.family = cmd->remote.family,
		.local = cmd->local,
		.remote = cmd->remote,
		.local_id = cmd->local_id,
	};

	if (mpaddr_is_any(&ev.local)) /* routing's choice */
		ev.local = at("10.99.0.1");
	ev.local.port = 10000 + cmd->local_id;
	return ev;
}

void play_up(struct play *play, const struct pm_cmd *cmd)
{
	struct pm_event ev = of_cmd(play, cmd);

	ev.type = PM_EVENT_SUB_ESTABLISHED;
	step(play, &ev);
}

void play_down(struct play *play, const struct pm_cmd *cmd, int error)
{
	struct pm_event ev = of_cmd(play, cmd);

	ev.type = PM_EVENT_SUB_CLOSED;
	ev.error = error;
	step(play, &ev);
}

void play_reset(struct play *play, const struct pm_cmd *cmd, uint8_t reason)
{
	struct pm_event ev = of_cmd(play, cmd);

	ev.type = PM_EVENT_SUB_CLOSED;
	ev.error = ECONNRESET;
	ev.reset_reason = reason;
	step(play, &ev);
}

void play_connect_c_flag(struct play *play, uint32_t token, const char *local,
			 const char *remote)
{
	struct pm_event ev = {
		.type = PM_EVENT_CREATED,
		.token = token,
		.family = AF_INET,
		.local = at(local),
		.remote = at(remote),
		.deny_join_id0 = true,
	};

	ev.local.port = ++play->port;
	cr_assert_eq(engine_register(play->engine,
				     &(struct pm_registration){ .token = token }),
		     0);
	step(play, &ev);
	ev.type = PM_EVENT_ESTABLISHED;
	step(play, &ev);
}

void play_health(struct play *play, const struct pm_cmd *check,
		 const struct pm_health *health)
{
	const struct pm_cmd cmd = *check;

	play->out.n = 0;
	engine_checked(play->engine, &cmd, health, &play->out);
	engine_tick(play->engine, &play->out);
}

void play_time(struct play *play, int64_t ms)
{
	play->out.n = 0;
	engine_set_clock(play->engine, ms);
	engine_tick(play->engine, &play->out);
}

void play_pool(struct play *play, const char *text, uint64_t mask,
	       enum endpoint_state state)
{
	struct pool *pool = pool_from(text), *old = play->pool;

	for (unsigned int i = 0; i < pool->n_endpoints; i++)
		if (mask >> i & 1)
			pool->endpoints[i].state = state;
	engine_set_pool(play->engine, pool);
	play->pool = pool;
	pool_free(old);
	play->out.n = 0;
	engine_tick(play->engine, &play->out);
}

void play_foreign_up(struct play *play, uint32_t token, const char *local,
		     uint8_t local_id, const char *remote)
{
	step(play, &(struct pm_event){ .type = PM_EVENT_SUB_ESTABLISHED,
				       .token = token,
				       .local = at(local),
				       .remote = at(remote),
				       .local_id = local_id });
}

void play_foreign_down(struct play *play, uint32_t token, const char *local,
		       const char *remote, int error, uint8_t reason)
{
	step(play, &(struct pm_event){ .type = PM_EVENT_SUB_CLOSED,
				       .token = token,
				       .local = at(local),
				       .remote = at(remote),
				       .error = error,
				       .reset_reason = reason });
}

struct pm_cmd wanted(const struct play *play, const char *local, const char *remote)
{
	char got_local[MPADDR_TEXT_MAX], got_remote[MPADDR_TEXT_MAX];
	struct mpaddr to = at(remote), from = { .family = to.family };
	const struct pm_cmd *cmd = play->out.v;

	if (local)
		from = at(local);
	cr_assert_eq(play->out.n, 1, "%u commands in place of one from %s to %s",
		     play->out.n, local ?: "any", remote);
	cr_assert(mpaddr_equal(&cmd->local, &from) && mpaddr_equal(&cmd->remote, &to),
		  "joins %s from %s in place of %s from %s",
		  mpaddr_text(&cmd->remote, got_remote),
		  mpaddr_text(&cmd->local, got_local), remote, local ?: "any");
	cr_assert_eq(cmd->type, PM_CMD_SUBFLOW_CREATE);
	cr_assert_geq(cmd->local_id, 1, "no local ID");
	return *cmd;
}

void wanted_none(const struct play *play)
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];

	cr_assert_eq(play->out.n, 0, "unwanted: join %s from %s",
		     mpaddr_text(&play->out.v[0].remote, remote),
		     mpaddr_text(&play->out.v[0].local, local));
}

struct pm_cmd play_join(struct play *play, uint8_t remote_id, const char *local,
			const char *remote)
{
	struct pm_cmd cmd;

	play_announce(play, TOKEN, remote_id, remote);
	cmd = wanted(play, local, remote);
	play_answer(play, &cmd, 0);
	wanted_none(play);
	play_up(play, &cmd);
	wanted_none(play);
	return cmd;
}

struct pm_conn_report play_view(const struct play *play, uint32_t token)
{
	struct pm_conn_report views[16];
	uint64_t next;
	unsigned int i, n = engine_report(play->engine, 0, 16, views, NULL, &next);

	for (i = 0; i < n; i++)
		if (views[i].token == token)
			return views[i];
	cr_assert_fail("token %#x is in no table", token);
	return views[0];
}
