// SPDX-License-Identifier: MIT
/*
 * pool.c - the pool file: parse, resolve, print, parse what was printed, edit
 *
 * Input: the file; after a NUL, lines for pool_edit().
 */
#include "mptcpaddr/pool.h"
#include "fuzz.h"
#include "shim/netlink/request.h"
#include "shim/pool/endpoint.h"

#include <sys/socket.h>

static void check_ids(const struct pool *pool)
{
	const struct endpoint *a, *b;

	fuzz_check(pool->n_endpoints <= POOL_ENDPOINTS_MAX, "too many endpoints");
	fuzz_check(pool->n_sections && pool->n_sections <= POOL_SECTIONS_MAX, "sections");
	for_each_endpoint (pool, a) {
		fuzz_check(a->local_id || !a->addr.family, "an endpoint without an ID");
		fuzz_check(a->section < pool->n_sections, "an endpoint of no section");
		fuzz_check(memchr(a->dev, '\0', sizeof(a->dev)), "a name without end");
		for (b = pool->endpoints; b < a; b++)
			fuzz_check(a->local_id != b->local_id || !a->local_id ||
					   a->section != b->section,
				   "one ID, two endpoints");
	}
}

/* What endpoint_format() prints is a line that means the same. */
static void check_text(const struct endpoint *ep)
{
	char text[ENDPOINT_TEXT_MAX];
	struct pool_error why;
	struct endpoint again;

	endpoint_format(ep, text);
	fuzz_check(strlen(text) < sizeof(text), "a long text");
	fuzz_check(endpoint_parse(text, &again, &why) == 0, "not read back: %s",
		   why.text);
	fuzz_check(mpaddr_equal(&again.addr, &ep->addr) && again.flags == ep->flags &&
			   !strcmp(again.dev, ep->dev),
		   "read back as another endpoint");
}

static void resolve_all(const struct pool *spec, struct pool *before, bool fewer)
{
	struct rtnl_iface links[] = {
		{ .if_idx = 1, .up = true, .dev = "lo" },
		{ .if_idx = 2, .up = true, .dev = "eth1" },
		{ .if_idx = 3, .up = !fewer, .dev = "wlan0" },
	};
	struct rtnl_address addrs[3];
	const struct rtnl_table table = {
		.known = true, .links = links, .addrs = addrs, .n_links = 3, .n_addrs = 3
	};
	static const char *const ips[] = { "10.0.2.1", "10.0.3.1", "2001:db8::1" };
	struct pool *pool = calloc(1, sizeof(*pool));

	for (unsigned int i = 0; i < 3; i++) {
		addrs[i] = (struct rtnl_address){ .if_idx = i % 2 + 2,
						  .ready = true,
						  .deprecated = i == 1 };
		mpaddr_parse(ips[i], &addrs[i].addr);
	}
	pool_resolve(spec, &table, before, pool);
	check_ids(pool);
	if (!before)
		resolve_all(spec, pool, true);
	pool_free(pool);
}

static void edit_pool(struct pool *spec, struct input *in)
{
	struct pool *resolved = malloc(sizeof(*resolved)),
		    *edited = malloc(sizeof(*edited));
	struct pool_error why;
	char words[256];

	*resolved = *spec;
	for (unsigned int i = 0; input_left(in) && i < 32; i++) {
		const uint8_t *end = memchr(in->at, '\0', input_left(in)) ?: in->end;
		const size_t len = end - in->at;

		*edited = *spec;
		memset(words, 0, sizeof(words));
		memcpy(words, in->at, len < sizeof(words) ? len : sizeof(words) - 1);
		in->at = end < in->end ? end + 1 : end;
		why.text[0] = '\0';
		if (pool_edit(edited, resolved, words, &why) == 0) {
			*spec = *edited;
			check_ids(spec);
			resolve_all(spec, NULL, false);
		} else {
			fuzz_check(why.text[0], "refused without a reason");
		}
	}
	free(resolved);
	free(edited);
}

FUZZ_TARGET(data, size)
{
	const uint8_t *end = size ? memchr(data, '\0', size) : NULL;
	struct input edits = { end ? end + 1 : data + size, data + size };
	const size_t len = end ? (size_t)(end - data) : size;
	struct pool_error why = { "" };
	char *text = malloc(len ?: 1); /* it ends where the file ends */
	const struct endpoint *ep;
	struct pool *pool;

	if (len)
		memcpy(text, data, len);
	if (pool_load_text(text, len, "a.conf", &pool, &why) == 0) {
		check_ids(pool);
		for_each_endpoint (pool, ep)
			check_text(ep);
		resolve_all(pool, NULL, false);
		edit_pool(pool, &edits);
		pool_free(pool);
	} else {
		fuzz_check(!strncmp(why.text, "a.conf:", 7), "no place: %s", why.text);
	}
	free(text);
	return 0;
}
