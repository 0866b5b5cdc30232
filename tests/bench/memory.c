// SPDX-License-Identifier: MIT
/*
 * memory.c - memory of the engine's tables per connection, allocator included
 *
 * 10,000 connections with two announcements each, both joined; the target is
 * 512 bytes.
 */
#include "bench.h"
#include "mptcpaddr/engine.h"

#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>

#define CONNECTIONS 10000
#define LIMIT_BYTES 512
#define POOL	    BENCH_DIR "/memory.conf"

static size_t in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static struct mpaddr at(const char *text, uint16_t port)
{
	struct mpaddr addr = { 0 };

	mpaddr_parse(text, &addr);
	addr.port = port;
	return addr;
}

/* Return: 0; -EPROTO without a join. */
static int join(struct engine *engine, uint32_t token, const char *remote, uint8_t id)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = token };
	struct pm_cmds out = { 0 };

	ev.remote = at(remote, 80);
	ev.remote_id = id;
	engine_handle(engine, &ev, &out);
	if (out.n != 1)
		return -EPROTO;
	ev.type = PM_EVENT_SUB_ESTABLISHED;
	ev.family = AF_INET;
	ev.local = out.v[0].local;
	ev.local.port = 40000;
	ev.local_id = out.v[0].local_id;
	return engine_handle(engine, &ev, &out);
}

static int connect_one(struct engine *engine, uint32_t token)
{
	const struct pm_registration reg = { .token = token };
	struct pm_event ev = { .type = PM_EVENT_ESTABLISHED,
			       .token = token,
			       .family = AF_INET };
	struct pm_cmds out = { 0 };
	int r;

	ev.local = at("10.0.1.2", 40000);
	ev.remote = at("10.0.1.1", 80);
	r = engine_register(engine, &reg);
	if (!r)
		r = engine_handle(engine, &ev, &out);
	if (!r)
		r = join(engine, token, "10.0.2.1", 1);
	return r ?: join(engine, token, "10.0.3.1", 2);
}

int bench_memory(void)
{
	struct engine *engine = NULL;
	struct pool *pool = NULL;
	struct pool_error why;
	size_t before;
	uint32_t i;
	int r;

	r = put_file(POOL, "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n");
	if (!r)
		r = pool_load(POOL, &pool, &why);
	if (!r)
		engine = engine_new(pool);
	before = in_use();
	for (i = 1; i <= CONNECTIONS && !r; i++)
		r = engine ? connect_one(engine, i * 2654435761u) : -ENOMEM;
	if (!r) {
		report_heading("bytes a connection with two joins");
		report_row(&(struct row){ "10,000 connections; the peer is the limit",
					  (double)(in_use() - before) / CONNECTIONS,
					  LIMIT_BYTES, NAN, TARGET_RATIO, 1 });
	}
	engine_free(engine);
	pool_free(pool);
	return r;
}
