// SPDX-License-Identifier: MIT
/*
 * life.c - a connection with two announcements, both joined, in an engine
 */
#include "life.h"
#include "mptcpaddr/engine.h"

#include <errno.h>

static struct mpaddr at(uint16_t family, uint8_t net, uint8_t host, uint16_t port)
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
static int join(struct engine *engine, uint16_t family, uint32_t token, uint8_t net,
		uint8_t id)
{
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED, .token = token };
	struct pm_cmds out = { 0 };

	ev.remote = at(family, net, 1, 80);
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

int life_connect(struct engine *engine, uint16_t family, uint32_t token)
{
	const struct pm_registration reg = { .token = token };
	struct pm_event ev = { .type = PM_EVENT_ESTABLISHED,
			       .token = token,
			       .family = family };
	struct pm_cmds out = { 0 };
	int r;

	ev.local = at(family, 1, 2, 40000);
	ev.remote = at(family, 1, 1, 80);
	r = engine_register(engine, &reg);
	if (!r)
		r = engine_handle(engine, &ev, &out);
	if (!r)
		r = join(engine, family, token, 2, 1);
	return r ?: join(engine, family, token, 3, 2);
}
