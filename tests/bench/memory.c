// SPDX-License-Identifier: MIT
/*
 * memory.c - memory of the engine's tables per connection, allocator included
 *
 * 10,000 connections with two announcements each, both joined, over IPv4 and over IPv6;
 * the target is 512 bytes.
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

static uint16_t family;

static struct mpaddr at(uint8_t net, uint8_t host, uint16_t port)
{
	struct mpaddr addr = { .family = family, .port = port };

	if (family == AF_INET)
		addr.v4.s_addr = htonl(10 << 24 | net << 8 | host);
	else
		addr.v6 = (struct in6_addr){ .s6_addr = { 0x20,
							  1, [7] = net, [15] = host } };
	return addr;
}

/* Return: 0; -EPROTO without a join. */
static int join(struct engine *engine, uint32_t token, uint8_t net, uint8_t id)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = token };
	struct pm_cmds out = { 0 };

	ev.remote = at(net, 1, 80);
	ev.remote_id = id;
	engine_handle(engine, &ev, &out);
	if (out.n != 1)
		return -EPROTO;
	ev.type = PM_EVENT_SUB_ESTABLISHED;
	ev.family = family;
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
			       .family = family };
	struct pm_cmds out = { 0 };
	int r;

	ev.local = at(1, 2, 40000);
	ev.remote = at(1, 1, 80);
	r = engine_register(engine, &reg);
	if (!r)
		r = engine_handle(engine, &ev, &out);
	if (!r)
		r = join(engine, token, 2, 1);
	return r ?: join(engine, token, 3, 2);
}

/* Return: bytes a connection; -errno. */
static double measure(const struct pool *pool)
{
	struct engine *engine = engine_new(pool);
	const size_t before = in_use();
	size_t after;
	uint32_t i;
	int r = engine ? 0 : -ENOMEM;

	for (i = 1; i <= CONNECTIONS && !r; i++)
		r = connect_one(engine, i * 2654435761u);
	after = in_use();
	engine_free(engine);
	return r ?: (double)(after - before) / CONNECTIONS;
}

int bench_memory(void)
{
	static const struct {
		const char *what;
		uint16_t family;
	} rows[] = {
		{ "10,000 connections; the peer is the limit", AF_INET },
		{ "the same over IPv6", AF_INET6 },
	};
	struct pool *pool = NULL;
	struct pool_error why;
	double bytes = 0;
	int r, i;

	r = put_file(POOL, "[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n"
			   "endpoint = 2001:0:0:2::2\nendpoint = 2001:0:0:3::2\n");
	if (!r)
		r = pool_load(POOL, &pool, &why);
	report_heading("bytes a connection with two joins");
	for (i = 0; i < 2 && !r; i++) {
		family = rows[i].family;
		bytes = measure(pool);
		if (bytes < 0)
			r = bytes;
		else
			report_row(&(struct row){ rows[i].what, bytes, LIMIT_BYTES, NAN,
						  TARGET_RATIO, 1 });
	}
	pool_free(pool);
	return r;
}
