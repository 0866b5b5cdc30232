// SPDX-License-Identifier: MIT
/*
 * control_server.c - the manager's end of the control socket (mptcpaddr/control.h)
 *
 * One datagram in, one out, without blocking: a client that does not read its answers is
 * disconnected, and kernel events always come first.
 */
#include "control_server.h"
#include "mptcpaddr/addr.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/clock.h"
#include "sockets.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>

#define ACCEPTS_AT_ONCE 16 /* other users may connect again and again */
#define SILENT_MS	1000
#define NOTES_PAGE	128 /* in one answer */

struct answer {
	struct ctl_answer head;
	union {
		struct ctl_manager manager;
		struct pm_conn_report connections[CTL_PAGE_MAX];
		struct pm_announced_report announced[CTL_PAGE_MAX];
		struct ctl_endpoint endpoints[POOL_ENDPOINTS_MAX];
		struct ctl_section sections[POOL_SECTIONS_MAX];
		struct pm_note notes[NOTES_PAGE];
		struct ctl_edit edit;
	};
};

/* One datagram, which must fit into a send buffer of the default size. */
_Static_assert(sizeof(struct answer) < 160 * 1024, "CTL_PAGE_MAX is too large");

int control_listen(struct control *control, const char *name, uid_t uid, char *ret_name,
		   size_t size)
{
	uint32_t random = 0;

	snprintf(ret_name, size, "%s", name);
	control->listener = local_socket_listen(name, CONTROL_CLIENTS_MAX);
	if (control->listener == -EADDRINUSE &&
	    getrandom(&random, sizeof(random), GRND_NONBLOCK) == sizeof(random)) {
		snprintf(ret_name, size, "%s.%08x", name, random);
		control->listener = local_socket_listen(ret_name, CONTROL_CLIENTS_MAX);
	}
	control->n_clients = 0;
	control->uid = uid;
	return control->listener < 0 ? control->listener : 0;
}

static bool holder_is_self(const char *name)
{
	struct ucred peer = { .pid = -1 };
	socklen_t len = sizeof(peer);
	const int fd = local_socket(name, false);

	if (fd < 0)
		return false;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	close(fd);
	return peer.pid == getpid();
}

int control_open(struct control *control, int pid, char *ret_name, size_t size)
{
	char name[32];

	snprintf(name, sizeof(name), CTL_NAME_PREFIX "%d", pid);
	if (holder_is_self(name))
		return -EALREADY;
	return control_listen(control, name, CONTROL_OWN_USER, ret_name, size);
}

/* Epoll tells the broker when to serve the client again. */
static void client_watch(const struct control *control, int op,
			 const struct control_client *client)
{
	struct epoll_event event = { .events =
					     client->lags ? EPOLLIN | EPOLLOUT : EPOLLIN,
				     .data.ptr = control->owner };

	if (control->owner)
		epoll_ctl(control->epoll, op, client->fd, &event);
}

static void client_count(struct control *control, const struct control_client *client,
			 int by)
{
	if (!control->owner || client->root)
		return;
	*control->held += by;
	*control->held_by_all += by;
}

static void client_close(struct control *control, const struct control_client *client)
{
	client_count(control, client, -1);
	close(client->fd);
}

void control_close(struct control *control)
{
	unsigned int i;

	if (control->listener >= 0)
		close(control->listener);
	for (i = 0; i < control->n_clients; i++)
		client_close(control, &control->clients[i]);
	control->listener = -1;
	control->n_clients = 0;
}

unsigned int control_poll_fill(const struct control *control, struct pollfd *fds)
{
	unsigned int i, n = 0;

	if (control->listener < 0)
		return 0;
	fds[n++] = (struct pollfd){ control->listener, POLLIN, 0 };
	for (i = 0; i < control->n_clients; i++)
		fds[n++] = (struct pollfd){ control->clients[i].fd,
					    control->clients[i].lags ? POLLIN | POLLOUT
								     : POLLIN,
					    0 };
	return n;
}

bool control_is_followed(const struct control *control)
{
	unsigned int i;

	for (i = 0; i < control->n_clients; i++)
		if (control->clients[i].follows)
			return true;
	return false;
}

static void drop_client(struct control *control, unsigned int i)
{
	client_close(control, &control->clients[i]);
	memmove(&control->clients[i], &control->clients[i + 1],
		(--control->n_clients - i) * sizeof(control->clients[0]));
}

bool control_drop_silent(struct control *control)
{
	const struct control_client *clients = control->clients, *oldest = NULL;
	unsigned int i;

	for (i = 0; i < control->n_clients; i++)
		if (!clients[i].follows &&
		    (!oldest || clients[i].asked_ms < oldest->asked_ms))
			oldest = &clients[i];
	if (!oldest || clock_ms() - oldest->asked_ms < SILENT_MS)
		return false;
	drop_client(control, oldest - clients);
	return true;
}

static bool has_room(const struct control *control, const struct control_client *client)
{
	return control->n_clients < CONTROL_CLIENTS_MAX &&
	       (!control->owner || client->root ||
		(*control->held < CONTROL_PER_USER_MAX &&
		 *control->held_by_all < CONTROL_ALL_MAX));
}

/*
 * The same user or root, by the peer credentials. Who asks nothing makes room, and for
 * root anybody.
 */
static bool admit_client(struct control *control, struct control_client *client)
{
	const uid_t uid = unix_name_peer(client->fd);

	client->root = uid == 0;
	if (uid != 0 &&
	    uid != (control->uid == CONTROL_OWN_USER ? geteuid() : control->uid))
		return false;
	while (!has_room(control, client) && control_drop_silent(control))
		;
	if (!has_room(control, client) && client->root)
		drop_client(control, 0);
	return has_room(control, client);
}

/* Return: whether there may be more. */
static bool accept_client(struct control *control)
{
	struct control_client client = {
		.fd = accept4(control->listener, NULL, NULL,
			      SOCK_CLOEXEC | SOCK_NONBLOCK),
		.asked_ms = clock_ms(),
	};

	if (client.fd < 0 && socket_accept_starved(errno))
		control_close(control);
	if (client.fd < 0)
		return false;
	if (!admit_client(control, &client)) {
		close(client.fd);
		return true;
	}
	client_count(control, &client, 1);
	client_watch(control, EPOLL_CTL_ADD, &client);
	control->clients[control->n_clients++] = client;
	return true;
}

/* Return: how many. @used: live subflows of each endpoint; NULL: those of the file. */
static unsigned int fill_endpoints(struct ctl_endpoint *to,
				   const struct control_view *view, const uint32_t *used)
{
	const struct pool *pool = used ? view->watch->pool : view->watch->spec;
	const struct endpoint *ep = pool->endpoints;
	unsigned int i, ms;

	for (i = 0; i < pool->n_endpoints; i++, ep++, to++) {
		*to = (struct ctl_endpoint){
			.addr = ep->addr,
			.flags = ep->flags,
			.local_id = ep->local_id,
			.state = ep->state,
			.section = ep->section,
			.from_dev = ep->from_dev,
			.line = ep->line,
			.used = used ? used[i] : 0,
		};
		memcpy(to->dev, ep->dev, sizeof(to->dev));
		ms = used ? engine_endpoint_held(view->engine, i, &to->flaps) : 0;
		to->held_s = (ms + 999) / 1000;
	}
	return pool->n_endpoints;
}

static unsigned int fill_sections(struct ctl_section *to, const struct pool *pool)
{
	const struct section *section = pool->sections;
	unsigned int i;

	for (i = 0; i < pool->n_sections; i++, section++)
		to[i] = (struct ctl_section){ .prefix = section->prefix.addr,
					      .len = section->prefix.len,
					      .excluded = section->excluded };
	return pool->n_sections;
}

/* Convert the times of notes from the steady clock to the real one. */
static unsigned int fill_notes(struct answer *answer, uint64_t after,
			       const struct engine *engine)
{
	unsigned int i, n = engine_notes(engine, after, NOTES_PAGE, answer->notes);
	struct timespec real, steady;
	int64_t offset;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &steady);
	offset = (real.tv_sec - steady.tv_sec) * INT64_C(1000000000) + real.tv_nsec -
		 steady.tv_nsec;
	for (i = 0; i < n; i++)
		answer->notes[i].time_ns += offset;
	if (n == NOTES_PAGE)
		answer->head.next = answer->notes[n - 1].seq;
	return n;
}

static void fill_manager(const struct control_view *view)
{
	struct ctl_manager *about = view->about;
	const struct pool_watch *watch = view->watch;
	const struct pool *pool = watch->pool;
	const struct endpoint *ep = pool->endpoints;

	about->endpoints = pool->n_endpoints;
	about->endp_signal_max = about->endp_subflow_max = 0;
	about->endp_laminar_max = about->endp_fullmesh_max = 0;
	for (; ep < pool->endpoints + pool->n_endpoints; ep++) {
		about->endp_signal_max += !!(ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL);
		about->endp_subflow_max += !!(ep->flags & MPTCP_PM_ADDR_FLAG_SUBFLOW);
		about->endp_laminar_max += !!(ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR);
		about->endp_fullmesh_max += !!(ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH);
	}
	about->subflows_max = pool->subflows;
	about->add_addr_accepted_max = pool->add_addr_accepted;
	about->pool_loads = watch->loads;
	snprintf(about->pool_error, sizeof(about->pool_error), "%.511s",
		 watch->error.text);
	about->connections = engine_conns(view->engine);
	about->used_ids = engine_used_ids(view->engine);
	about->counters = *engine_counters(view->engine);
	about->notes = engine_notes_last(view->engine);
	about->early = view->pump->early.n;
	about->events_foreign = view->pump->foreign;
	about->overruns = view->pump->overruns;
}

static int control_edit(struct ctl_edit *ret_edit, struct ctl_request *request,
			const struct control_view *view)
{
	*ret_edit = (struct ctl_edit){ 0 };
	request->text[sizeof(request->text) - 1] = '\0';
	return view->edit(view->ctx, request->text, ret_edit->text,
			  sizeof(ret_edit->text));
}

static void fill_records(struct answer *answer, struct ctl_request *request,
			 const struct control_view *view)
{
	uint32_t used[POOL_ENDPOINTS_MAX] = { 0 };
	struct ctl_answer *head = &answer->head;

	switch (request->op) {
	case CTL_OP_MANAGER:
		head->record_size = sizeof(answer->manager);
		head->count = 1;
		fill_manager(view);
		answer->manager = *view->about;
		break;
	case CTL_OP_CONNECTIONS:
		head->record_size = sizeof(answer->connections[0]);
		head->count = engine_report(view->engine, request->after, CTL_PAGE_MAX,
					    answer->connections, NULL, &head->next);
		head->total = engine_count_shown(view->engine, NULL);
		return;
	case CTL_OP_ANNOUNCED:
		head->record_size = sizeof(answer->announced[0]);
		head->count = engine_report(view->engine, request->after, CTL_PAGE_MAX,
					    NULL, answer->announced, &head->next);
		return;
	case CTL_OP_ENDPOINTS:
		engine_count_shown(view->engine, used);
		head->record_size = sizeof(answer->endpoints[0]);
		head->count = fill_endpoints(answer->endpoints, view, used);
		break;
	case CTL_OP_CONFIGURED:
		head->record_size = sizeof(answer->endpoints[0]);
		head->count = fill_endpoints(answer->endpoints, view, NULL);
		break;
	case CTL_OP_SECTIONS:
		head->record_size = sizeof(answer->sections[0]);
		head->count = fill_sections(answer->sections, view->watch->pool);
		break;
	case CTL_OP_NOTES:
	case CTL_OP_FOLLOW:
		head->record_size = sizeof(answer->notes[0]);
		head->count = fill_notes(answer, request->after, view->engine);
		break;
	case CTL_OP_EDIT:
		head->record_size = sizeof(answer->edit);
		head->count = 1;
		head->error = control_edit(&answer->edit, request, view);
		break;
	default:
		head->error = -EOPNOTSUPP;
	}
	head->total = head->count;
}

int control_check_request(const struct ctl_request *request, ssize_t n)
{
	/* A request of another version may have another length. */
	if (n < (ssize_t)offsetof(struct ctl_request, after) ||
	    request->magic != CTL_MAGIC)
		return -EINVAL;
	if (request->version != CTL_VERSION)
		return -EPROTO;
	return n == sizeof(*request) ? 0 : -EINVAL;
}

static void fill_answer(struct answer *answer, struct ctl_request *request, ssize_t n,
			const struct control_view *view)
{
	answer->head = (struct ctl_answer){ .magic = CTL_MAGIC,
					    .version = CTL_VERSION,
					    .op = request->op,
					    .error = control_check_request(request, n) };
	if (!answer->head.error)
		fill_records(answer, request, view);
}

/* Return: false if the client does not read its answers. */
static bool send_answer(int fd, const struct answer *answer)
{
	ssize_t size = sizeof(answer->head) +
		       (size_t)answer->head.count * answer->head.record_size;

	return send(fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) == size;
}

/* Return: false if the client has gone, or does not read its answers. */
static bool serve_client(struct control_client *client, struct answer *answer,
			 const struct control_view *view)
{
	struct ctl_request request = { 0 };
	ssize_t n;

	n = recv(client->fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	client->asked_ms = clock_ms();
	fill_answer(answer, &request, n, view);
	if (!send_answer(client->fd, answer))
		return false;
	if (request.op == CTL_OP_FOLLOW && !answer->head.error) {
		client->follows = true;
		client->seen = request.after;
		if (answer->head.count)
			client->seen = answer->notes[answer->head.count - 1].seq;
	}
	return true;
}

/* A slow follower gets its notes later, without those that the ring has dropped. */
static bool serve_follower(const struct control *control, struct control_client *client,
			   struct answer *answer, const struct control_view *view)
{
	const bool lagged = client->lags;
	struct ctl_request next = { .magic = CTL_MAGIC,
				    .version = CTL_VERSION,
				    .op = CTL_OP_FOLLOW };

	client->lags = false;
	while (client->seen < engine_notes_last(view->engine)) {
		next.after = client->seen;
		fill_answer(answer, &next, sizeof(next), view);
		if (!send_answer(client->fd, answer)) {
			client->lags = errno == EAGAIN;
			break;
		}
		client->seen = answer->notes[answer->head.count - 1].seq;
	}
	if (client->lags != lagged)
		client_watch(control, EPOLL_CTL_MOD, client);
	return client->lags || client->seen >= engine_notes_last(view->engine);
}

void control_serve(struct control *control, const struct pollfd *fds,
		   const struct control_view *view)
{
	static struct answer answer; /* too large for a thread's stack */
	unsigned int i, kept = 0, n = control->n_clients;

	for (i = 0; i < n; i++) {
		struct control_client client = control->clients[i];
		bool ok = true;

		if (fds[1 + i].revents)
			ok = serve_client(&client, &answer, view);
		if (ok && client.follows)
			ok = serve_follower(control, &client, &answer, view);
		if (ok)
			control->clients[kept++] = client;
		else
			client_close(control, &client);
	}
	control->n_clients = kept;
	for (i = 0; fds[0].revents && i < ACCEPTS_AT_ONCE && accept_client(control); i++)
		;
}
