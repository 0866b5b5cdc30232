// SPDX-License-Identifier: MIT
/*
 * life.c - connections in an engine, and their allocations
 *
 *	life POOL COUNT 4|6
 *
 * COUNT connections over IPv4 or IPv6. Prints the allocations of each.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../bench/life.h"
#include "mptcpaddr/engine.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned int allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	allocations++;
	return __libc_realloc(p, size);
}

int main(int argc, char *argv[])
{
	struct pool *pool = NULL;
	struct engine *engine;
	struct pool_error why;
	uint32_t i, n;
	int r;

	if (argc < 4 || pool_load(argv[1], &pool, &why) < 0)
		return 2;
	n = atoi(argv[2]);
	engine = engine_new(pool);
	r = engine ? 0 : -1;
	allocations = 0;
	for (i = 1; i <= n && !r; i++)
		r = life_connect(engine, *argv[3] == '4' ? AF_INET : AF_INET6,
				 i * 2654435761u);
	printf("%.2f\n", (double)allocations / n);
	engine_free(engine);
	pool_free(pool);
	return !!r;
}
