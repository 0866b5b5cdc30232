// SPDX-License-Identifier: MIT
/*
 * control.c - the manager's end of the control socket (mptcpaddr/control.h)
 *
 * One datagram in, one out, never blocking: a peer that does not read its answers is
 * hung up on, and serving events always comes first.
 */
#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME_TRIES 8

struct answer {
	struct ctl_answer head;
	union {
		struct ctl_manager manager;
		struct ctl_connection connections[CTL_PAGE_MAX];
	};
};

static int bind_name(int fd, const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	memcpy(addr.sun_path + 1, name, len);
	len += offsetof(struct sockaddr_un, sun_path) + 1;
	return bind(fd, (struct sockaddr *)&addr, len) < 0 ? -errno : 0;
}

int control_open(struct control *control, int pid, char *ret_name, size_t size)
{
	int fd, i, r = -EADDRINUSE;

	control->listener = -1;
	control->n_clients = 0;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	for (i = 0; i < NAME_TRIES && r == -EADDRINUSE; i++) {
		char name[32];

		snprintf(name, sizeof(name),
			 i ? CTL_NAME_PREFIX "%d.%d" : CTL_NAME_PREFIX "%d", pid, i);
		r = bind_name(fd, name);
		if (!r)
			snprintf(ret_name, size, "%s", name);
	}
	if (!r && listen(fd, CONTROL_CLIENTS_MAX) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	control->listener = fd;
	return 0;
}

void control_close(struct control *control)
{
	unsigned int i;

	if (control->listener >= 0)
		close(control->listener);
	for (i = 0; i < control->n_clients; i++)
		close(control->clients[i]);
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
		fds[n++] = (struct pollfd){ control->clients[i], POLLIN, 0 };
	return n;
}

/* The same user or root, by what the kernel says of the peer. */
static bool peer_allowed(int fd)
{
	socklen_t len = sizeof(struct ucred);
	struct ucred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}

static void accept_client(struct control *control)
{
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	/* Without a descriptor the peer stays in the queue, and poll() never waits again.
	 */
	if (fd < 0 &&
	    (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
		control_close(control);
	if (fd < 0)
		return;
	if (control->n_clients == CONTROL_CLIENTS_MAX || !peer_allowed(fd)) {
		close(fd);
		return;
	}
	control->clients[control->n_clients++] = fd;
}

static void fill_connections(struct answer *answer, uint32_t first,
			     const struct engine *engine)
{
	static struct engine_conn_view views[CTL_PAGE_MAX];
	unsigned int i;

	answer->head.record_size = sizeof(struct ctl_connection);
	answer->head.count =
		engine_view(engine, first, CTL_PAGE_MAX, views, &answer->head.total);
	for (i = 0; i < answer->head.count; i++)
		answer->connections[i] = (struct ctl_connection){
			.token = views[i].token,
			.subflows = views[i].subflows,
			.announced = views[i].announced,
			.waiting = views[i].waiting,
			.established = views[i].established,
		};
}

static void fill_answer(struct answer *answer, const struct ctl_request *request,
			ssize_t n, const struct ctl_manager *about,
			const struct engine *engine)
{
	answer->head = (struct ctl_answer){ .magic = CTL_MAGIC, .version = CTL_VERSION };
	if (n != sizeof(*request) || request->magic != CTL_MAGIC) {
		answer->head.error = -EINVAL;
		return;
	}
	answer->head.op = request->op;
	if (request->version != CTL_VERSION) {
		answer->head.error = -EPROTO;
		return;
	}
	switch (request->op) {
	case CTL_OP_MANAGER:
		answer->head.total = answer->head.count = 1;
		answer->head.record_size = sizeof(answer->manager);
		answer->manager = *about;
		break;
	case CTL_OP_CONNECTIONS:
		fill_connections(answer, request->first, engine);
		break;
	default:
		answer->head.error = -EOPNOTSUPP;
	}
}

/* Return: false when the client is gone, or does not take its answer. */
static bool serve_client(int fd, const struct ctl_manager *about,
			 const struct engine *engine)
{
	static struct answer answer; /* too large for the stack of a guest's thread */
	struct ctl_request request;
	ssize_t n, size;

	n = recv(fd, &request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	fill_answer(&answer, &request, n, about, engine);
	size = sizeof(answer.head) + answer.head.count * answer.head.record_size;
	return send(fd, &answer, size, MSG_DONTWAIT | MSG_NOSIGNAL) == size;
}

void control_serve(struct control *control, const struct pollfd *fds,
		   const struct ctl_manager *about, const struct engine *engine)
{
	unsigned int i, kept = 0, n = control->n_clients;

	for (i = 0; i < n; i++) {
		int fd = control->clients[i];

		if (!fds[1 + i].revents || serve_client(fd, about, engine))
			control->clients[kept++] = fd;
		else
			close(fd);
	}
	control->n_clients = kept;
	if (fds[0].revents)
		accept_client(control);
}
