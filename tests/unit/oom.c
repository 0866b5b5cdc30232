// SPDX-License-Identifier: MIT
/*
 * oom.c - each allocation fails in turn: no crash, no leak
 *
 * The allocator is libc's; a test chooses the call that fails.
 */
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef __SANITIZE_ADDRESS__

#ifdef __GLIBC__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
#else /* here dlsym() allocates nothing */
#define LIBC(name)		((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define __libc_malloc(size)	LIBC(malloc)(size)
#define __libc_calloc(n, size)	LIBC(calloc)(n, size)
#define __libc_realloc(p, size) LIBC(realloc)(p, size)
#endif

static int until_failure = -1; /* allocations; -1: none fails */

static bool fails(void)
{
	if (until_failure < 0 || until_failure-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

static bool in_ipv6; /* 10.0.2.1 is 2001:db8:0:2::1 */

static struct mpaddr in_family(const char *text)
{
	struct mpaddr addr = at(text);
	const uint8_t net = addr.ip[2], host = addr.ip[3];

	if (in_ipv6) {
		addr.family = AF_INET6;
		addr.v6 =
			(struct in6_addr){ .s6_addr = { 0x20, 1, 0xd,
							0xb8, [7] = net, [15] = host } };
	}
	return addr;
}

static void event(struct engine *engine, enum pm_event_type type, const char *local,
		  const char *remote, uint8_t id, struct pm_cmds *out)
{
	struct pm_event ev = { .type = type,
			       .token = TOKEN,
			       .family = in_ipv6 ? AF_INET6 : AF_INET,
			       .remote_id = id,
			       .local_id = id };

	if (local)
		ev.local = in_family(local);
	if (remote)
		ev.remote = in_family(remote);
	out->n = 0;
	engine_handle(engine, &ev, out);
}

/* Return: whether an allocation failed. */
static bool history(const struct pool *pool, int failure)
{
	struct pm_registration reg = { .token = TOKEN };
	struct engine *engine;
	struct pm_cmds out = { 0 };

	until_failure = failure;
	engine = engine_new(pool);
	if (!engine)
		return true;
	if (engine_register(engine, &reg) == 0) {
		event(engine, PM_EVENT_CREATED, "10.0.1.2:1", "10.0.1.1:80", 0, &out);
		event(engine, PM_EVENT_ESTABLISHED, "10.0.1.2:1", "10.0.1.1:80", 0, &out);
		engine_set_clock(engine, 5);
		engine_tick(engine, &out);
		event(engine, PM_EVENT_ANNOUNCED, NULL, "10.0.2.1:80", 1, &out);
		event(engine, PM_EVENT_ANNOUNCED, NULL, "10.0.3.1:80", 2, &out);
		event(engine, PM_EVENT_SUB_ESTABLISHED, "10.0.2.2:7", "10.0.2.1:80", 1,
		      &out);
		event(engine, PM_EVENT_SUB_ESTABLISHED, "10.0.8.2:7", "10.0.8.1:80", 8,
		      &out);
		event(engine, PM_EVENT_SUB_CLOSED, "10.0.2.2:7", "10.0.2.1:80", 1, &out);
		event(engine, PM_EVENT_CLOSED, NULL, NULL, 0, &out);
	}
	cr_assert_eq(engine_conns(engine), 0);
	cr_assert_eq(engine_used_ids(engine), 0);
	engine_free(engine);
	failure = until_failure;
	until_failure = -1;
	return failure < 0;
}

static void everywhere(const char *text)
{
	struct pool *pool = pool_from(text);
	int n = 0;

	while (history(pool, n))
		cr_assert_lt(++n, 1000);
	cr_assert_gt(n, 8, "only %d allocations", n);
	pool_free(pool);
}

Test(oom, laminar_history_survives_each_failure)
{
	everywhere("[pool]\nendpoint=10.0.2.2\nendpoint=10.0.3.2\n");
}

Test(oom, history_of_every_kind_survives_each_failure)
{
	everywhere("[pool]\nendpoint=10.0.2.2 fullmesh\nendpoint=10.0.3.2 subflow\n"
		   "endpoint=10.0.4.2 signal\n");
}

Test(oom, history_over_ipv6_survives_each_failure)
{
	in_ipv6 = true;
	everywhere("[pool]\nendpoint=2001:db8:0:2::2\nendpoint=2001:db8:0:3::2\n"
		   "endpoint=2001:db8:0:4::2 subflow\n");
}

Test(oom, history_of_an_empty_pool_survives_each_failure)
{
	everywhere("[pool]\n");
}

/* An address looks free while the engine does not know the subflow that uses it. */
Test(oom, a_subflow_without_memory_stops_joins_until_a_resync)
{
	struct pm_registration reg = { .token = TOKEN };
	struct pool *pool = pool_from("[pool]\nendpoint=10.0.2.2\n");
	struct engine *engine = engine_new(pool);
	struct pm_subflow all[] = {
		{ .sub = { .token = TOKEN,
			   .family = AF_INET,
			   .local = at("10.0.1.2:1"),
			   .remote = at("10.0.1.1:80") },
		  .initial = true,
		  .active = true,
		  .live = true },
		{ .sub = { .token = TOKEN,
			   .family = AF_INET,
			   .local = at("10.0.2.2:7"),
			   .remote = at("10.0.9.1:80"),
			   .local_id = 1,
			   .remote_id = 9 },
		  .live = true },
	};
	struct pm_cmds out = { 0 };

	cr_assert_eq(engine_register(engine, &reg), 0);
	event(engine, PM_EVENT_ESTABLISHED, "10.0.1.2:1", "10.0.1.1:80", 0, &out);
	until_failure = 0; /* others made this one */
	event(engine, PM_EVENT_SUB_ESTABLISHED, "10.0.2.2:7", "10.0.9.1:80", 1, &out);
	until_failure = -1;
	event(engine, PM_EVENT_ANNOUNCED, NULL, "10.0.3.1:80", 2, &out);
	cr_expect_eq(out.n, 0, "joined from an address that is in use");
	until_failure = 0;
	cr_expect_eq(engine_resync(engine, all, 2), -ENOMEM);
	until_failure = -1;
	engine_tick(engine, &out);
	cr_expect_eq(out.n, 0, "joined after a resync that had no memory");
	cr_expect_eq(engine_resync(engine, all, 2), 0);
	engine_tick(engine, &out);
	cr_expect_eq(out.n, 0, "joined although the address is in use");
	cr_expect_eq(engine_resync(engine, all, 1), 0);
	engine_tick(engine, &out);
	cr_expect_eq(out.n, 1, "not joined although the address is free");
	engine_free(engine);
	pool_free(pool);
}

Test(oom, pool_file_is_not_read_in_part)
{
	static const char text[] = "[pool]\nendpoint=10.0.2.2\n[limits]\nsubflows=3\n";
	struct pool_error why;
	struct pool *pool = NULL;
	int n, r = -1;

	for (n = 0; r < 0; n++) {
		cr_assert_lt(n, 100);
		until_failure = n;
		r = pool_load_text(text, sizeof(text) - 1, "/a/b.conf", &pool, &why);
		until_failure = -1;
		cr_assert((r == 0) == (pool != NULL), "%d: %d", n, r);
	}
	cr_assert_eq(pool->subflows, 3);
	pool_free(pool);
}

#endif
