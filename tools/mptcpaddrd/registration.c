// SPDX-License-Identifier: MIT
/*
 * registration.c - programs connect, register a connection each, and disconnect
 *
 * The record is not trusted: SO_PEERCRED identifies the user, and sock_diag the owner of
 * the connection. Neither side waits: a peer without a request is polled, and
 * disconnected after a while.
 */
#include "broker.h"
#include "message.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/manager/sockets.h"
#include "shim/pool/endpoint.h"

#include <stdio.h>
#include <stdlib.h>

#define BACKLOG	     4096
#define SERVE_MAX    256  /* peers, then events are handled again */
#define SILENT_MS    1000 /* then a peer is disconnected */
#define REQUESTS_MAX 64
#define GIDS_MAX     1024
#define LOG_EVERY_MS 10000

int registration_open(struct broker *b)
{
	b->listen_fd = local_socket(BROKER_NAME, true);
	return b->listen_fd < 0 ? b->listen_fd : 0;
}

int registration_listen(struct broker *b)
{
	return listen(b->listen_fd, BACKLOG) < 0 ? -errno : 0;
}

static void refuse_registration(struct broker *b, struct user *user, const char *what)
{
	b->refused++;
	user->refused++;
	/* One user must not flood the log. */
	if (clock_ms() - user->logged_ms < LOG_EVERY_MS && user->logged_ms)
		return;
	user->logged_ms = clock_ms();
	log_warning("user %u: refused: %s (%llu so far)", user->uid, what,
		    (unsigned long long)user->refused);
}

static bool peer_is_admitted(const struct broker *b, int fd, const struct ucred *cred)
{
	static gid_t gids[GIDS_MAX + 1];
	socklen_t len = GIDS_MAX * sizeof(*gids);

	if (!b->policy.groups.n)
		return policy_admits(&b->policy, cred->uid, NULL, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
		len = 0;
	gids[len / sizeof(*gids)] = cred->gid;
	return policy_admits(&b->policy, cred->uid, gids, len / sizeof(*gids) + 1);
}

/* The administrator's pool replaces the user's. Return: NULL; without @why: no pool. */
static struct client *get_system_client(struct broker *b, struct user *user,
					const struct record *record,
					struct pool_error *why)
{
	struct client *client;
	char path[512], *text;
	size_t len;
	int r;

	snprintf(path, sizeof(path), POLICY_POOLS "%s.conf", record->program);
	r = read_pool_file(path, &text, &len);
	if (r == -ENOENT) {
		snprintf(path, sizeof(path), POLICY_POOLS "default.conf");
		r = read_pool_file(path, &text, &len);
	}
	if (r == -ENOENT)
		log_debug("user %u: %s: no pool in " POLICY_POOLS " (pools = no)",
			  user->uid, record->program);
	else if (r < 0)
		pool_error_set(why, r, "%s", strerror(-r));
	if (r < 0)
		return NULL;
	client = client_get(b, user, record->program, path, text, len, NULL, why);
	free(text);
	return client;
}

static void handle_record(struct broker *b, struct user *user,
			  const struct record *record)
{
	struct pool_error why = { "" };
	struct diag_owner owner;
	struct client *client;
	struct client_conn *conn;
	bool adopted;
	int r;

	r = diag_read_owner(b->diag_fd, record->token, &owner);
	if (r < 0) {
		refuse_registration(b, user, "no such connection");
		return;
	}
	if (user->uid && owner.uid != user->uid) {
		refuse_registration(b, user, "another user's connection");
		return;
	}
	client = b->policy.pools ? client_get(b, user, record->program, record->path,
					      record->pool, record->pool_len, NULL, &why)
				 : get_system_client(b, user, record, &why);
	if (!client) {
		if (why.text[0]) /* else the administrator has no pool for it */
			refuse_registration(b, user, why.text);
		return;
	}
	conn = client_conn_find(b, record->token);
	adopted = conn && conn->client->adopts.line;
	if (conn && conn->cookie == owner.cookie && !adopted)
		return; /* registered twice */
	if (conn)
		client_conn_forget(b, conn); /* the token was reused, or adopted */
	r = client_register(b, client, record->token, record->v6only, owner.cookie);
	if (r < 0) {
		refuse_registration(b, user, "too many connections");
		return;
	}
	b->registrations++;
	user->registrations++;
	journal_add(b, client, client_conn_find(b, record->token));
	log_debug("user %u: %s: token 0x%08x", user->uid, record->program, record->token);
	dispatch_early(b, record->token);
	if (adopted)
		resync_clients(b); /* it may have subflows already */
	client->due_ms = 0;
}

/* For mptcpinfo. Root gets the totals, other users their own numbers. */
static bool answer_request(struct broker *b, struct peer *peer,
			   const struct ctl_request *request, size_t len)
{
	struct {
		struct ctl_answer head;
		struct ctl_manager manager;
	} answer = { .head = { .magic = CTL_MAGIC,
			       .version = CTL_VERSION,
			       .op = request->op,
			       .error = control_check_request(request, len) } };
	struct ctl_manager *about = &answer.manager;
	const struct user *user = peer->user;
	size_t size = sizeof(answer.head);

	if (peer->requests++ == REQUESTS_MAX)
		return false;
	if (!answer.head.error && request->op == CTL_OP_MANAGER) {
		answer.head.count = answer.head.total = 1;
		answer.head.record_size = sizeof(*about);
		about->pid = getpid();
		about->connections = user->uid ? user->connections : HASH_COUNT(b->conns);
		about->events = user->uid ? 0 : b->pump.events;
		about->events_foreign = user->uid ? 0 : b->pump.foreign;
		about->overruns = b->pump.overruns;
		about->registrations = user->uid ? user->registrations : b->registrations;
		about->registrations_lost = user->refused;
		if (!user->uid)
			about->registrations_lost = b->refused;
		strcpy(about->backend, "broker");
		strcpy(about->program, "mptcpaddrd");
		size = sizeof(answer);
	}
	return send(peer->fd, &answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)size;
}

static void handle_datagram(struct broker *b, struct user *user, const void *data,
			    size_t len)
{
	struct record record;

	switch (record_parse(data, len, &record)) {
	case 0:
		return handle_record(b, user, &record);
	case -EMSGSIZE:
		return refuse_registration(b, user, "a record of the wrong length");
	case -EPROTO:
		return refuse_registration(b, user, "a record of another version");
	case -EBADMSG:
		return refuse_registration(b, user, "not a registration record");
	}
	refuse_registration(b, user, "a record with impossible values");
}

/* Return: whether the peer stays. */
static bool handle_peer(struct broker *b, struct peer *peer)
{
	static _Alignas(struct ctl_request) char data[BROKER_RECORD_MAX + 1];
	/* Without room for them, the kernel closes descriptors that were sent along. */
	ssize_t n = recv(peer->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
	uint32_t magic = 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false; /* it only checked for a broker */
	if ((size_t)n >= sizeof(magic))
		memcpy(&magic, data, sizeof(magic));
	if (magic == CTL_MAGIC && (size_t)n >= offsetof(struct ctl_request, after) &&
	    (size_t)n <= sizeof(data))
		return answer_request(b, peer, (const struct ctl_request *)data, n);
	if (!peer->admitted)
		refuse_registration(b, peer->user, "the policy does not admit this user");
	else
		handle_datagram(b, peer->user, data, n);
	return false;
}

static void drop_peer(struct broker *b, unsigned int i)
{
	close(b->peers[i].fd);
	b->peers[i].user->waiting--;
	memmove(&b->peers[i], &b->peers[i + 1], (--b->n_peers - i) * sizeof(*b->peers));
}

/* For one more peer of @user, disconnect the one that has waited longest. */
static void make_peer_room(struct broker *b, const struct user *user)
{
	unsigned int i;

	if (b->n_peers < PEERS_MAX && user->waiting < PEERS_PER_USER)
		return;
	for (i = 0; i < b->n_peers; i++) {
		if (user->waiting >= PEERS_PER_USER && b->peers[i].user != user)
			continue;
		drop_peer(b, i);
		return;
	}
}

/* Return: whether the peer stays, to be served later. */
static bool admit_peer(struct broker *b, struct peer *peer)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred cred;

	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		peer->user = user_get(&b->users, cred.uid);
	if (!peer->user) {
		b->refused++;
		return false;
	}
	if (!rate_take(&peer->user->registering, b->policy.user_rate,
		       b->policy.user_rate)) {
		refuse_registration(b, peer->user, "too many at a time");
		return false;
	}
	peer->admitted = peer_is_admitted(b, peer->fd, &cred);
	return handle_peer(b, peer);
}

void registration_accept(struct broker *b)
{
	struct peer peer;
	int fd, i;

	for (i = 0; i < SERVE_MAX; i++) {
		fd = accept4(b->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
		if (fd < 0)
			continue;
		peer = (struct peer){ .fd = fd, .since_ms = clock_ms() };
		if (!admit_peer(b, &peer)) {
			close(fd);
			continue;
		}
		make_peer_room(b, peer.user);
		peer.user->waiting++;
		b->peers[b->n_peers++] = peer;
	}
}

unsigned int registration_poll_fill(const struct broker *b, struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; i < b->n_peers; i++)
		fds[i] = (struct pollfd){ b->peers[i].fd, POLLIN, 0 };
	return b->n_peers;
}

/* Backwards, since drop_peer() moves those after it. */
void registration_serve_peers(struct broker *b, const struct pollfd *fds)
{
	const int64_t before = clock_ms() - SILENT_MS;
	unsigned int i;

	for (i = b->n_peers; i-- > 0;)
		if ((fds[i].revents && !handle_peer(b, &b->peers[i])) ||
		    b->peers[i].since_ms < before)
			drop_peer(b, i);
}

int registration_timeout(const struct broker *b)
{
	return b->n_peers ? SILENT_MS / 4 : -1;
}
