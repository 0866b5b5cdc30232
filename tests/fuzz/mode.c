// SPDX-License-Identifier: MIT
/*
 * mode.c - the preload library's own small reader agrees with the full parser
 *
 * Input: a pool file. What the full parser rejects means nothing to either: the program
 * then has no pool, and mode.c only has to end.
 */
#include "shim/preload/mode.c" // NOLINT(bugprone-suspicious-include): it decides once
#include "fuzz.h"
#include "mptcpaddr/pool.h"
#include "mptcpaddr/uapi.h"

#include <sys/mman.h>
#include <unistd.h>

static int file = -1;

static struct scan scan_with(void (*line)(struct scan *, const char *, const char *))
{
	struct scan scan = { .line = line };

	lseek(file, 0, SEEK_SET);
	scan_file(&scan, file);
	return scan;
}

/* A device of that name costs a manager that is not needed. */
static unsigned int signals_of(const struct pool *pool)
{
	const struct endpoint *ep;
	unsigned int all = 0;

	for_each_endpoint (pool, ep) {
		all |= ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL ? MODE_SIGNAL : 0;
		all |= ep->addr.port ? MODE_PORT : 0;
		all |= !strcmp(ep->dev, "signal") ? MODE_SIGNAL : 0;
		all |= !strcmp(ep->dev, "port") ? MODE_PORT : 0;
	}
	return all;
}

FUZZ_TARGET(data, size)
{
	struct scan app, ports;
	struct pool_error why;
	struct pool *pool;

	if (file < 0)
		file = memfd_create("pool", 0);
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		return -1;
	app = scan_with(scan_line);
	ports = scan_with(scan_for_signal);
	if (pool_load_text((const char *)data, size, "a.conf", &pool, &why) < 0)
		return 0;
	fuzz_check(app.refused == !pool->mptcp, "mptcp = %s", pool->mptcp ? "yes" : "no");
	fuzz_check(app.first == (pool->first != FIRST_ROUTING), "first %d", pool->first);
	fuzz_check(app.keepalive == (pool->keepalive_ms + 999) / 1000,
		   "keepalive %u, not %u ms", app.keepalive, pool->keepalive_ms);
	fuzz_check(ports.signals == signals_of(pool), "signal %u, not %u", ports.signals,
		   signals_of(pool));
	pool_free(pool);
	return 0;
}
