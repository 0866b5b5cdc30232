// SPDX-License-Identifier: MIT
/*
 * app_listeners.c - recognise the connections that this program accepts
 *
 * The event of an accepted connection has its local address, but not its process. So
 * listen() hands over the addresses of the program's listening sockets, and the process
 * that has bound the abstract name of an address manages the connections to it. The name
 * ends with its process.
 */
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "sockets.h"
#include "state.h"

#include <stdio.h>

void app_listeners_open(struct app_listeners *l, struct handover *h)
{
	int i;

	l->h = h;
	for (i = 0; i < HANDOVER_LISTENERS; i++)
		l->claims[i] = -1;
}

static void release_claim(struct app_listeners *l, int i)
{
	if (l->claims[i] >= 0)
		close(l->claims[i]);
	l->claims[i] = -1;
}

void app_listeners_close(struct app_listeners *l)
{
	int i;

	for (i = 0; l->h && i < HANDOVER_LISTENERS; i++)
		release_claim(l, i);
}

static bool listener_is_open(const struct app_listeners *l, int i)
{
	return atomic_load(&l->h->listeners[i].state) == LISTENER_OPEN;
}

bool app_listeners_any(const struct app_listeners *l)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (listener_is_open(l, i))
			return true;
	return false;
}

/* Return: whether this process manages the connections to listener @i. */
static bool claim_listener(struct app_listeners *l, int i)
{
	char name[32 + MPADDR_TEXT_MAX], text[MPADDR_TEXT_MAX];
	const struct mpaddr *addr = &l->h->listeners[i].addr;
	int fd;

	if (l->claims[i] >= 0)
		return true;
	snprintf(name, sizeof(name), "mptcpaddr-listen/%s/%u", mpaddr_text(addr, text),
		 addr->port);
	fd = local_socket(name, true);
	l->adopt |= fd >= 0 && l->claims[i] == -EADDRINUSE;
	l->claims[i] = fd;
	return fd != -EADDRINUSE; /* better two managers than none */
}

bool app_listeners_accepted(struct app_listeners *l, const struct mpaddr *local,
			    bool inherited)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++)
		if (listener_is_open(l, i) &&
		    mpaddr_accepts(&l->h->listeners[i].addr, l->h->listeners[i].v6only,
				   local))
			return inherited || claim_listener(l, i);
	return false;
}

/* Compare inodes: another process may listen at the same address. */
static int match_listener(void *ctx, const struct inet_diag_msg *msg,
			  struct nlattr *const *tb)
{
	const struct handover_listener *listener = ctx;

	return msg->idiag_inode == (uint32_t)listener->inode ? -EEXIST : 0;
}

void app_listeners_closed(struct app_listeners *l, const struct mpaddr *local)
{
	int i;

	for (i = 0; i < HANDOVER_LISTENERS; i++) {
		struct handover_listener *listener = &l->h->listeners[i];

		if (!listener_is_open(l, i) || !mpaddr_equal(&listener->addr, local) ||
		    diag_dump(IPPROTO_MPTCP, DIAG_LISTENING, match_listener, listener) <
			    0)
			continue;
		release_claim(l, i);
		atomic_store(&listener->state, LISTENER_CLOSED);
	}
}
