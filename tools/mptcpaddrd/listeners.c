// SPDX-License-Identifier: MIT
/*
 * listeners.c - listening sockets of programs, and the connections that they accept
 *
 * A listening socket is registered by its inode. It may outlive its program: after a
 * reload, another process accepts its connections. sock_diag tells which ones still
 * exist, at most once a second unless one has closed.
 */
#include "broker.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netlink/attr.h>
#include <stdlib.h>

#define PER_CLIENT_MAX 64
#define REFRESH_MS     1000
/* A worker without root's rights accepts from a socket of root's: for a minute. */
#define AGAIN_MS	  20
#define AGAIN_DOUBLES	  6
#define AGAINS_MAX	  50
#define ADOPTS_PER_SECOND 10 /* each reads all subflows of the namespace */

static void listener_free(struct broker *b, struct listener *listener)
{
	listener->client->listeners--;
	HASH_DEL(b->listeners, listener);
	free(listener);
}

void listeners_drop(struct broker *b, const struct client *client)
{
	struct listener *l, *next;

	HASH_ITER (hh, b->listeners, l, next)
		if (l->client == client)
			listener_free(b, l);
}

static int update_listener(void *ctx, const struct inet_diag_msg *msg,
			   struct nlattr *const *tb)
{
	const uint64_t cookie =
		msg->id.idiag_cookie[0] | (uint64_t)msg->id.idiag_cookie[1] << 32;
	struct broker *b = ctx;
	struct listener *l, *next;

	HASH_ITER (hh, b->listeners, l, next) {
		if (l->inode != msg->idiag_inode || (l->cookie && l->cookie != cookie))
			continue;
		l->found = true;
		l->cookie = cookie;
		l->uid = msg->idiag_uid;
		mpaddr_set(&l->addr, msg->idiag_family, msg->id.idiag_src);
		l->addr.port = ntohs(msg->id.idiag_sport);
		l->v6only = netlink_number(tb[INET_DIAG_SKV6ONLY]);
	}
	return 0;
}

static struct listener *listener_find(const struct broker *b, uint32_t inode, uid_t uid)
{
	const uint64_t key = (uint64_t)uid << 32 | inode;
	struct listener *l;

	HASH_FIND(hh, b->listeners, &key, sizeof(key), l);
	return l;
}

/* Root's programs may serve every connection: nobody else need be asked. */
static void drop_workers(struct broker *b, uint32_t inode)
{
	struct listener *l, *next;

	HASH_ITER (hh, b->listeners, l, next)
		if (l->inode == inode && l->client->user->uid)
			listener_free(b, l);
}

/* Drop those that have closed. */
static void listeners_refresh(struct broker *b)
{
	struct listener *l, *next;

	HASH_ITER (hh, b->listeners, l, next)
		l->found = false;
	if (diag_dump(IPPROTO_MPTCP, DIAG_LISTENING, update_listener, b) < 0)
		return;
	HASH_ITER (hh, b->listeners, l, next)
		if (!l->found)
			listener_free(b, l);
	b->listeners_ms = clock_ms();
}

const char *listener_register(struct broker *b, struct client *client, uint32_t inode,
			      uint64_t cookie)
{
	const uid_t uid = client->user->uid;
	struct listener *l;

	if (uid && listener_find(b, inode, 0))
		return NULL; /* its worker, which has dropped root's rights */
	/* Each user has an entry of his own: nobody takes away another's. */
	l = listener_find(b, inode, uid);
	if (l) {
		l->client->listeners--;
		l->client = client;
		client->listeners++;
		return NULL;
	}
	listeners_refresh(b);
	if (client->listeners >= PER_CLIENT_MAX)
		return "too many listening sockets";
	l = calloc(1, sizeof(*l));
	if (!l)
		return strerror(ENOMEM);
	l->key = (uint64_t)uid << 32 | inode;
	l->inode = inode;
	l->cookie = cookie;
	l->client = client;
	HASH_ADD(hh, b->listeners, key, sizeof(l->key), l);
	if (!l->hh.tbl) {
		free(l);
		return strerror(ENOMEM);
	}
	client->listeners++;
	listeners_refresh(b);
	l = listener_find(b, inode, uid);
	if (!l)
		return "no such listening socket";
	if (!uid)
		drop_workers(b, inode);
	journal_add_listener(b, l);
	return NULL;
}

bool listener_take(struct broker *b, const struct pm_event *established)
{
	struct listener *l, *next;
	struct diag_owner owner;
	uid_t uid;

	if (!b->listeners || established->type != PM_EVENT_ESTABLISHED ||
	    !established->server_side)
		return false;
	if (clock_ms() - b->listeners_ms > REFRESH_MS)
		listeners_refresh(b);
	HASH_ITER (hh, b->listeners, l, next) {
		if (!mpaddr_accepts(&l->addr, l->v6only, &established->local))
			continue;
		uid = l->client->user->uid;
		if (diag_read_owner(b->pump.diag_fd, established->token, &owner) < 0)
			continue;
		if (uid && l->uid != uid && owner.uid != uid) {
			if (!b->again_ms) /* perhaps it will accept it */
				b->again_ms = clock_ms() +
					      (b->agains < AGAIN_DOUBLES
						       ? AGAIN_MS << b->agains
						       : AGAIN_MS << AGAIN_DOUBLES);
			continue;
		}
		if (client_register(b, l->client, established->token, false, 0,
				    owner.cookie) < 0)
			continue;
		journal_add(b, l->client, client_conn_find(b, established->token));
		dispatch_event(b, established);
		dispatch_early(b, l->client, established->token);
		return true;
	}
	return false;
}

void listener_retry(struct broker *b)
{
	if (!b->again_ms || clock_ms() < b->again_ms)
		return;
	b->again_ms = 0;
	if (b->agains++ < AGAINS_MAX)
		listener_adopt(b);
	if (!b->again_ms)
		b->agains = 0;
}

void listener_adopt(struct broker *b)
{
	static int64_t full_us;
	const struct client_conn *conn;
	struct diag_subflows all;
	struct pm_event ev;
	unsigned int i;

	if (!rate_take(&full_us, ADOPTS_PER_SECOND, 10 * ADOPTS_PER_SECOND)) {
		b->again_ms = b->again_ms ?: clock_ms() + AGAIN_MS;
		return;
	}
	if (diag_read_subflows(&all) < 0)
		return;
	for (i = 0; i < all.n; i++) {
		ev = all.v[i].sub;
		ev.type = PM_EVENT_ESTABLISHED;
		if (!all.v[i].initial || !all.v[i].live)
			continue;
		conn = client_conn_find(b, ev.token);
		if (!conn)
			listener_take(b, &ev);
		else if (engine_lacks_first(conn->client->engine, ev.token))
			dispatch_event(b, &ev); /* registered late */
	}
	free(all.v);
}
