// SPDX-License-Identifier: MIT
/*
 * memory.c - memory of the engine's tables per connection, allocator included
 *
 * 10,000 connections with two announcements each, both joined, over IPv4 and over IPv6;
 * the target is 512 bytes.
 */
#include "bench.h"
#include "life.h"
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

/* Return: bytes a connection; -errno. */
static double measure(const struct pool *pool, uint16_t family)
{
	struct engine *engine = engine_new(pool);
	const size_t before = in_use();
	size_t after;
	uint32_t i;
	int r = engine ? 0 : -ENOMEM;

	for (i = 1; i <= CONNECTIONS && !r; i++)
		r = life_connect(engine, family, i * 2654435761u);
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

	r = put_file(POOL, LIFE_POOL);
	if (!r)
		r = pool_load(POOL, &pool, &why);
	report_heading("bytes a connection with two joins");
	for (i = 0; i < 2 && !r; i++) {
		bytes = measure(pool, rows[i].family);
		if (bytes < 0)
			r = bytes;
		else
			report_row(&(struct row){ rows[i].what, bytes, LIMIT_BYTES, NAN,
						  TARGET_RATIO, 1 });
	}
	pool_free(pool);
	return r;
}
