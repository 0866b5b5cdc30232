// SPDX-License-Identifier: MIT
/*
 * app_listeners.c - recognise the connections that this program accepts
 *
 * The event of an accepted connection has its local address, but not its process. So
 * listen() hands over the addresses of the program's listening sockets, and the process
 * that has bound an abstract name of an address manages the connections to it. The name
 * ends with its process. Names that other users hold are passed over.
 */
#include "mptcpaddr/log.h"
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"
#include "sockets.h"
#include "state.h"

#include <stdio.h>

#define CLAIM_NAMES 4
#define KNOWN_MS    1000 /* not to ask the kernel for each connection */

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

static void claim_name(const struct mpaddr *addr, unsigned int number,
		       char ret_name[static UNIX_NAME_MAX])
{
	char text[MPADDR_TEXT_MAX];

	snprintf(ret_name, UNIX_NAME_MAX, number ? "%s%s/%u/%u" : "%s%s/%u",
		 UNIX_NAME_LISTEN, mpaddr_text(addr, text), addr->port, number);
}

/* By a process of this user or of root, or by one unknown. */
static bool is_held_by_us(const char *name)
{
	static bool logged;
	const uid_t uid = unix_name_owner(name);

	if (uid == 0 || uid == geteuid() || uid == UNIX_NAME_UNKNOWN)
		return true;
	if (!logged)
		log_warning("ignoring the socket name %s, which is held by user %u", name,
			    uid);
	logged = true;
	return false;
}

/*
 * Bind the first of the names that no other user holds. @known: another process of ours
 * had one just now. Return: a descriptor; -EADDRINUSE: it has; other -errno.
 */
static int bind_claim(const struct mpaddr *addr, bool known)
{
	char name[UNIX_NAME_MAX];
	int fd = -EADDRINUSE;
	unsigned int i, own;

	for (i = 0; i < CLAIM_NAMES && fd == -EADDRINUSE; i++) {
		claim_name(addr, i, name);
		fd = local_socket(name, true);
		if (fd == -EADDRINUSE && (known || is_held_by_us(name)))
			return fd;
	}
	own = i - 1;
	/* It may have a later one, if the first was another user's before. */
	for (; i < CLAIM_NAMES && own == 0 && fd >= 0; i++) {
		claim_name(addr, i, name);
		if (unix_name_owner(name) != UNIX_NAME_UNKNOWN && is_held_by_us(name)) {
			close(fd);
			return -EADDRINUSE;
		}
	}
	return fd == -EADDRINUSE ? -EACCES : fd;
}

/* Return: whether this process manages the connections to listener @i. */
static bool claim_listener(struct app_listeners *l, int i)
{
	const bool known = l->claims[i] == -EADDRINUSE && clock_ms() < l->known_ms[i];
	int fd;

	if (l->claims[i] >= 0)
		return true;
	fd = bind_claim(&l->h->listeners[i].addr, known);
	if (fd == -EADDRINUSE && !known)
		l->known_ms[i] = clock_ms() + KNOWN_MS;
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
