// SPDX-License-Identifier: MIT
/*
 * registration.c - programs come, say what they have connected, and go
 *
 * Nothing that is said here is believed: who speaks is told by SO_PEERCRED, whose the
 * connection is by sock_diag. Nobody waits for us, and we wait for nobody: a guest that
 * says nothing is put aside, and out after a while.
 */
#include "daemon.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG	     4096
#define SERVE_MAX    256  /* guests before events have their turn again */
#define SILENT_MS    1000 /* then it is put out */
#define REQUESTS_MAX 64
#define GIDS_MAX     1024
#define LOG_EVERY_MS 10000

int door_open(struct broker *b)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const socklen_t len =
		offsetof(struct sockaddr_un, sun_path) + sizeof(BROKER_NAME);
	int fd;

	memcpy(addr.sun_path + 1, BROKER_NAME, sizeof(BROKER_NAME) - 1);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, len) < 0) {
		const int error = errno;

		close(fd);
		return -error;
	}
	b->door_fd = fd;
	return 0;
}

/* From here on, programs find us. */
int door_listen(struct broker *b)
{
	return listen(b->door_fd, BACKLOG) < 0 ? -errno : 0;
}

static void refuse(struct broker *b, struct account *account, uint64_t *counter,
		   const char *what)
{
	(*counter)++;
	if (!account)
		return;
	account->refused++;
	/* One user's noise must not drown what the log says of others. */
	if (clock_ms() - account->said_ms < LOG_EVERY_MS && account->said_ms)
		return;
	account->said_ms = clock_ms();
	log_warning("user %u: refused: %s (%llu so far)", account->uid, what,
		    (unsigned long long)account->refused);
}

static bool admitted(const struct broker *b, int fd, const struct ucred *peer)
{
	static gid_t gids[GIDS_MAX + 1];
	socklen_t len = GIDS_MAX * sizeof(*gids);

	if (!b->policy.n_gids)
		return policy_admits(&b->policy, peer->uid, NULL, 0);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &len) < 0)
		len = 0;
	gids[len / sizeof(*gids)] = peer->gid;
	return policy_admits(&b->policy, peer->uid, gids, len / sizeof(*gids) + 1);
}

/* The pool is the administrator's: the user's own is not looked at. */
static struct client *system_client(struct broker *b, struct account *account,
				    const struct record *record, struct pool_error *why,
				    int *ret_error)
{
	struct client *client;
	char path[512], *text;
	size_t len;

	*ret_error = system_pool(record->program, &text, &len, path, sizeof(path));
	if (*ret_error == -ENOENT)
		log_debug("user %u: %s: no pool in " POLICY_POOLS " (pools = no)",
			  account->uid, record->program);
	if (*ret_error < 0)
		return NULL;
	client = client_get(b, account, record->program, path, text, len, NULL, why,
			    ret_error);
	free(text);
	return client;
}

static void take_record(struct broker *b, struct account *account,
			const struct record *record)
{
	struct pool_error why = { "" };
	struct token_owner owner;
	struct client *client;
	struct held *held;
	bool adopted;
	int r;

	r = token_ask(b->diag_fd, record->token, &owner);
	if (r < 0) {
		refuse(b, account, &b->refused.stale, "there is no such connection");
		return;
	}
	if (account->uid && owner.uid != account->uid) {
		refuse(b, account, &b->refused.foreign, "another user's connection");
		return;
	}
	client = b->policy.pools
			 ? client_get(b, account, record->program, record->path,
				      record->pool, record->pool_len, NULL, &why, &r)
			 : system_client(b, account, record, &why, &r);
	if (!client) {
		if (r != -ENOENT) /* no pool of the administrator's: none at all */
			refuse(b, account,
			       r == -EINVAL ? &b->refused.pool : &b->refused.room,
			       why.text[0] ? why.text : strerror(-r));
		return;
	}
	held = held_find(b, record->token);
	adopted = held && held->client->adopts.line;
	if (held && held->cookie == owner.cookie && !adopted)
		return; /* told once more */
	if (held)
		held_forget(b, held); /* the token is another's by now, or was adopted */
	r = client_register(b, client, record->token, record->v6only, owner.cookie);
	if (r < 0) {
		refuse(b, account, &b->refused.room, "too many connections");
		return;
	}
	b->registrations++;
	account->registrations++;
	state_held(b, held_find(b, record->token));
	log_debug("user %u: %s: token 0x%08x", account->uid, record->program,
		  record->token);
	work_replay(b, record->token);
	if (adopted)
		work_again(b); /* its subflows are there already */
	client->due_ms = 0;
}

/* mptcpinfo asks the broker itself, too. Root sees the sum, others what is theirs. */
static bool answer_request(struct broker *b, struct guest *guest,
			   const struct ctl_request *request, size_t len)
{
	struct {
		struct ctl_answer head;
		struct ctl_manager manager;
	} answer = {
		.head = { .magic = CTL_MAGIC, .version = CTL_VERSION, .op = request->op }
	};
	struct ctl_manager *about = &answer.manager;
	const struct account *account = guest->account;
	size_t size = sizeof(answer.head);

	if (guest->requests++ == REQUESTS_MAX)
		return false;
	if (request->version != CTL_VERSION) {
		answer.head.error = -EPROTO;
	} else if (len != sizeof(*request)) {
		answer.head.error = -EINVAL;
	} else if (request->op == CTL_OP_MANAGER) {
		answer.head.count = answer.head.total = 1;
		answer.head.record_size = sizeof(*about);
		about->pid = getpid();
		about->connections =
			account->uid ? account->connections : HASH_COUNT(b->held);
		about->events = account->uid ? 0 : b->pump.events;
		about->events_foreign = account->uid ? 0 : b->pump.foreign;
		about->overruns = b->pump.overruns;
		about->registrations =
			account->uid ? account->registrations : b->registrations;
		about->registrations_lost = account->refused;
		if (!account->uid)
			about->registrations_lost =
				b->refused.length + b->refused.form + b->refused.version +
				b->refused.sense + b->refused.rate + b->refused.policy +
				b->refused.room + b->refused.foreign + b->refused.stale +
				b->refused.pool;
		strcpy(about->backend, "broker");
		strcpy(about->program, "mptcpaddrd");
		size = sizeof(answer);
	}
	return send(guest->fd, &answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       (ssize_t)size;
}

static void take_datagram(struct broker *b, struct account *account, const void *data,
			  size_t len)
{
	struct record record;
	int r = record_parse(data, len, &record);

	switch (-r) {
	case 0:
		take_record(b, account, &record);
		break;
	case EMSGSIZE:
		refuse(b, account, &b->refused.length, "a record of the wrong length");
		break;
	case EPROTO:
		refuse(b, account, &b->refused.version, "a record of another version");
		break;
	case EBADMSG:
		refuse(b, account, &b->refused.form, "something that is no record");
		break;
	default:
		refuse(b, account, &b->refused.sense, "a record that makes no sense");
		break;
	}
}

/* Return: whether the guest is to stay. */
static bool hear(struct broker *b, struct guest *guest)
{
	static _Alignas(struct ctl_request) char data[BROKER_RECORD_MAX + 1];
	/* Descriptors that come along are closed by the kernel: there is no room. */
	ssize_t n = recv(guest->fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC);
	uint32_t magic = 0;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false; /* it only looked whether we are here */
	if ((size_t)n >= sizeof(magic))
		memcpy(&magic, data, sizeof(magic));
	if (magic == CTL_MAGIC && (size_t)n >= offsetof(struct ctl_request, after) &&
	    (size_t)n <= sizeof(data))
		return answer_request(b, guest, (const struct ctl_request *)data, n);
	if (!guest->admitted)
		refuse(b, guest->account, &b->refused.policy,
		       "the policy does not admit this user");
	else
		take_datagram(b, guest->account, data, n);
	return false;
}

static void put_out(struct broker *b, unsigned int i)
{
	close(b->guests[i].fd);
	b->guests[i].account->waiting--;
	memmove(&b->guests[i], &b->guests[i + 1],
		(--b->n_guests - i) * sizeof(*b->guests));
}

/* For one more of @account; the one that has waited longest goes. */
static void seat(struct broker *b, const struct account *account)
{
	unsigned int i;

	if (b->n_guests < GUESTS_MAX && account->waiting < GUESTS_PER_USER)
		return;
	for (i = 0; i < b->n_guests; i++) {
		if (account->waiting >= GUESTS_PER_USER &&
		    b->guests[i].account != account)
			continue;
		put_out(b, i);
		return;
	}
}

static void welcome(struct broker *b, int fd)
{
	struct guest guest = { .fd = fd, .since_ms = clock_ms() };
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		guest.account = account_get(&b->accounts, peer.uid);
	if (!guest.account) {
		b->refused.room++;
		close(fd);
		return;
	}
	if (!rate_take(&guest.account->registering, b->policy.user_rate,
		       b->policy.user_rate, clock_us())) {
		refuse(b, guest.account, &b->refused.rate, "too many at a time");
		close(fd);
		return;
	}
	guest.admitted = admitted(b, fd, &peer);
	if (!hear(b, &guest)) {
		close(fd);
		return;
	}
	seat(b, guest.account);
	guest.account->waiting++;
	b->guests[b->n_guests++] = guest;
}

void door_serve(struct broker *b)
{
	int fd, i;

	for (i = 0; i < SERVE_MAX; i++) {
		fd = accept4(b->door_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
			return;
		if (fd >= 0)
			welcome(b, fd);
	}
}

unsigned int door_poll_fill(const struct broker *b, struct pollfd *fds)
{
	unsigned int i;

	for (i = 0; i < b->n_guests; i++)
		fds[i] = (struct pollfd){ b->guests[i].fd, POLLIN, 0 };
	return b->n_guests;
}

/* From the last to the first: those that leave do not move those that are left. */
void door_serve_guests(struct broker *b, const struct pollfd *fds)
{
	const int64_t before = clock_ms() - SILENT_MS;
	unsigned int i;

	for (i = b->n_guests; i-- > 0;)
		if ((fds[i].revents && !hear(b, &b->guests[i])) ||
		    b->guests[i].since_ms < before)
			put_out(b, i);
}

int door_timeout(const struct broker *b)
{
	return b->n_guests ? SILENT_MS / 4 : -1;
}
