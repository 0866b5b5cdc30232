// SPDX-License-Identifier: MIT
/*
 * registration.c - programs connect, register a connection each, and disconnect
 *
 * The record is not trusted: SO_PEERCRED identifies the user, and sock_diag the owner of
 * the connection. Neither side waits: a peer without a request is polled, and
 * disconnected after a while.
 */
#include "broker.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"
#include "shim/pool/ini_reader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVE_MAX    256  /* peers, then events are handled again */
#define SILENT_MS    1000 /* then a peer is disconnected */
#define REQUESTS_MAX 64
/* Each reads all listening sockets of the namespace. */
#define LISTENS_PER_SECOND 50
#define LISTENS_AT_ONCE	   256
#define GIDS_MAX	   1024
#define LOG_EVERY_MS	   10000

/* A program with a log waits for the reason; the others have disconnected. */
static void refuse_registration(struct broker *b, const struct peer *peer,
				const char *what)
{
	struct user *user = peer->user;

	send(peer->fd, what, strlen(what), MSG_DONTWAIT | MSG_NOSIGNAL);
	b->refused++;
	user->refused++;
	if (clock_ms() - user->refused_ms < LOG_EVERY_MS && user->refused_ms)
		return;
	user->refused_ms = clock_ms();
	user_log(b, user, LOG_LEVEL_WARNING, "refused: %s (%llu so far)", what,
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

/* Replace the pool by the administrator's. Return: 0; -ENOENT: none; other -errno. */
static int use_system_pool(struct record *record)
{
	struct broker_program *id = &record->program;
	int r;

	snprintf(id->path, sizeof(id->path), POLICY_POOLS "%s.conf", id->program);
	r = read_pool_file(record);
	if (r != -ENOENT)
		return r;
	strcpy(id->path, POLICY_POOLS "default.conf");
	return read_pool_file(record);
}

/* The client of @record with its pool. Return: NULL, and perhaps *@ret_why. */
static struct client *get_client(struct broker *b, const struct peer *peer,
				 struct record *record, const char **ret_why)
{
	static struct pool_error why;
	struct user *user = peer->user;
	struct client *client;
	int r = 0;

	if (!b->policy.pools)
		r = use_system_pool(record);
	if (r == -ENOENT)
		user_log(b, user, LOG_LEVEL_DEBUG,
			 "%s: no pool in " POLICY_POOLS " (pools = no)",
			 record->program.program);
	else if (r < 0)
		*ret_why = ini_file_error(r);
	if (r < 0)
		return NULL;
	why.text[0] = '\0';
	client = client_get(b, user, record, false, &why);
	if (!client)
		*ret_why = why.text;
	if (!client)
		return NULL;
	client_follow_process(client, peer->pid);
	sockopt_unpack(client->options, BROKER_OPTION(record->head.flags));
	return client;
}

/* A program is about to connect, or tells how that went. Return: NULL, or the reason to
 * refuse it. */
static const char *serve_first(struct broker *b, struct peer *peer, struct record *record)
{
	const unsigned int index = record->head.token - 1;
	const char *why = NULL;
	struct client *client = get_client(b, peer, record, &why);

	if (!client)
		return why;
	rearm_avoid(b, &client->first);
	if (!record->head.token)
		send(peer->fd, &client->first, sizeof(client->first),
		     MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (index < client->first.n_endpoints)
		first_paths_avoid(b, peer->user, &client->first.endpoints[index].addr);
	return NULL;
}

/* Return: NULL, or the reason to refuse it. */
static const char *register_listening(struct broker *b, const struct peer *peer,
				      struct record *record)
{
	const char *why = NULL;
	struct client *client;

	if (!rate_take(&peer->user->listening_us, LISTENS_PER_SECOND, LISTENS_AT_ONCE))
		return "too many listening sockets at a time";
	client = get_client(b, peer, record, &why);
	if (client)
		why = listener_register(b, client, record->head.token, 0);
	if (client && !why)
		listener_adopt(b);
	return why;
}

/* The same. */
static const char *register_conn(struct broker *b, const struct peer *peer,
				 struct record *record)
{
	struct user *user = peer->user;
	const uint32_t token = record->head.token, flags = record->head.flags;
	const struct pm_event closed = { .type = PM_EVENT_CLOSED, .token = token };
	const char *why = NULL;
	struct client_conn *conn;
	struct diag_owner owner;
	struct client *client;
	bool adopted;
	int r = diag_read_owner(b->pump.diag_fd, token, &owner);

	if (r == -ENOENT) { /* ended already: the server refused it */
		b->refused++;
		user->refused++;
		user_log(b, user, LOG_LEVEL_DEBUG, "%s: no connection 0x%08x",
			 record->program.program, token);
		return NULL;
	}
	if (r < 0)
		return "the kernel does not say whose connection that is";
	if (user->uid && owner.uid != user->uid)
		return "another user's connection";
	client = get_client(b, peer, record, &why);
	if (!client)
		return why;
	conn = client_conn_find(b, token);
	adopted = conn && conn->client->adopted;
	if (conn && conn->cookie == owner.cookie && !adopted)
		return NULL; /* registered twice */
	if (conn)
		dispatch_event(b, &closed); /* the token was reused, or adopted */
	r = client_register(b, client, token, flags & BROKER_FLAG_V6ONLY,
			    record->head.version >> BROKER_WHY_SHIFT, owner.cookie);
	if (r < 0)
		return r == -EDQUOT ? "too many connections" : strerror(-r);
	b->registrations++;
	user->registrations++;
	journal_add(b, client, client_conn_find(b, token));
	user_log(b, user, LOG_LEVEL_DEBUG, "%s: token 0x%08x", record->program.program,
		 token);
	dispatch_early(b, client, token);
	if (adopted)
		resync_clients(b); /* it may have subflows already */
	if (flags & BROKER_FLAG_INHERITED)
		listener_adopt(b);
	client->due_ms = 0;
	return NULL;
}

/* For mptcpinfo. Root gets the totals, other users their own numbers. */
static bool answer_request(struct broker *b, struct peer *peer,
			   const struct ctl_request *request, size_t len)
{
	const struct user *user = peer->user;
	struct {
		struct ctl_answer head;
		struct ctl_manager manager;
	} answer = { .head = { .magic = CTL_MAGIC,
			       .version = CTL_VERSION,
			       .op = request->op,
			       .error = control_check_request(request, len) },
		     .manager = { .pid = getpid(),
				  .connections = user->connections,
				  .overruns = b->pump.overruns,
				  .blackhole_s = b->rearm.noticed_s,
				  .registrations = user->registrations,
				  .registrations_lost = user->refused,
				  .backend = "broker",
				  .program = "mptcpaddrd" } };
	struct ctl_manager *about = &answer.manager;
	ssize_t size = sizeof(answer.head);

	if (peer->requests++ == REQUESTS_MAX)
		return false;
	if (!user->uid) {
		about->connections = HASH_COUNT(b->conns);
		about->events = b->pump.events;
		about->events_foreign = b->pump.foreign;
		about->registrations = b->registrations;
		about->registrations_lost = b->refused;
	}
	if (!answer.head.error && request->op == CTL_OP_MANAGER) {
		answer.head.count = answer.head.total = 1;
		answer.head.record_size = sizeof(*about);
		quota_describe(b, about->pool_error, sizeof(about->pool_error));
		size = sizeof(answer);
	}
	return send(peer->fd, &answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) == size;
}

/* Return: whether the peer stays. */
static bool handle_peer(struct broker *b, struct peer *peer)
{
	static union {
		struct record record;
		struct ctl_request request;
	} data;
	/* Without room for them, the kernel closes descriptors that were sent along. */
	ssize_t n = recv(peer->fd, &data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
	const char *why = "the policy does not admit this user";

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false; /* it only checked for a broker */
	if (n >= (ssize_t)offsetof(struct ctl_request, after) &&
	    n <= (ssize_t)sizeof(data) && data.request.magic == CTL_MAGIC)
		return answer_request(b, peer, &data.request, n);
	if (peer->admitted && n >= (ssize_t)sizeof(data.record.head) &&
	    data.record.head.magic == BROKER_MAGIC && !data.record.head.token) {
		rearm_notice(b);
		return false;
	}
	if (peer->admitted)
		why = record_check(&data.record, n);
	if (peer->admitted && !why)
		why = data.record.head.magic == BROKER_MAGIC_FIRST
			      ? serve_first(b, peer, &data.record)
		      : data.record.head.flags & BROKER_FLAG_LISTENER
			      ? register_listening(b, peer, &data.record)
			      : register_conn(b, peer, &data.record);
	if (why)
		refuse_registration(b, peer, why);
	return false;
}

static void drop_peer(struct broker *b, unsigned int i)
{
	close(b->peers[i].fd);
	b->peers[i].user->waiting--;
	memmove(&b->peers[i], &b->peers[i + 1], (--b->n_peers - i) * sizeof(*b->peers));
}

/*
 * For one more peer of @user, disconnect the one that has waited longest, of the user
 * with the most; a program that was interrupted before it sent its record connects again.
 */
static void make_peer_room(struct broker *b, const struct user *user)
{
	const struct user *most = user;
	unsigned int i;

	if (b->n_peers < PEERS_MAX && user->waiting < PEERS_PER_USER)
		return;
	for (i = 0; i < b->n_peers && user->waiting < PEERS_PER_USER; i++)
		if (b->peers[i].user->waiting > most->waiting)
			most = b->peers[i].user;
	for (i = 0; i < b->n_peers; i++) {
		if (b->peers[i].user == most) {
			/* Its request may have come since. */
			handle_peer(b, &b->peers[i]);
			drop_peer(b, i);
			return;
		}
	}
}

/* Return: whether the peer stays, to be served later. */
static bool admit_peer(struct broker *b, struct peer *peer)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred cred;

	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0)
		peer->user = user_get(b, cred.uid);
	if (peer->user)
		peer->pid = cred.pid;
	if (!peer->user) {
		b->refused++;
		return false;
	}
	if (!rate_take(&peer->user->registering_us, b->policy.user_rate,
		       b->policy.user_rate)) {
		refuse_registration(b, peer, "too many at a time");
		return false;
	}
	peer->admitted = peer_is_admitted(b, peer->fd, &cred);
	if (!handle_peer(b, peer))
		return false;
	make_peer_room(b, peer->user);
	peer->user->waiting++;
	b->peers[b->n_peers++] = *peer;
	return true;
}

static void accept_peers(struct broker *b, int listener)
{
	struct peer peer;
	int i;

	for (i = 0; i < SERVE_MAX; i++) {
		peer = (struct peer){ .since_ms = clock_ms() };
		peer.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (peer.fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
		if (peer.fd >= 0 && !admit_peer(b, &peer))
			close(peer.fd);
	}
}

void registration_accept(struct broker *b)
{
	accept_peers(b, b->lazy_fd);
	accept_peers(b, b->path_fd);
	accept_peers(b, b->name_fd);
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
