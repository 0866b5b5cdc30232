// SPDX-License-Identifier: MIT
/*
 * ctl.c - ask one manager, over its control socket
 *
 * The manager is a thread of any program at all: it may be stopped in a debugger, of
 * another version, or an impostor. So every wait ends, and nothing in an answer is
 * used before its length and counts have been checked.
 */
#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_MS 300
#define TOTAL_TIMEOUT_MS  2000 /* for all pages; 10,000 records take a few ms */
/* Header and a full page of records, even if a later manager's are 64 times as long. */
#define ANSWER_MAX	(sizeof(struct ctl_answer) + CTL_PAGE_MAX * 512)
#define CONNECTIONS_MAX (4u << 20) /* of one manager */

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

int ctl_open(const char *name, struct ctl *ret_ctl)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct timeval timeout = { .tv_usec = ANSWER_TIMEOUT_MS * 1000 };
	struct ctl ctl = { .fd = -1, .give_up_ms = now_ms() + TOTAL_TIMEOUT_MS };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int r;

	if (strlen(name) > sizeof(addr.sun_path) - 1)
		return -ENAMETOOLONG;
	memcpy(addr.sun_path + 1, name, strlen(name));
	ctl.buffer = malloc(ANSWER_MAX);
	if (!ctl.buffer)
		return -ENOMEM;
	ctl.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* Also bounds connect(), which waits while the backlog is full. */
	if (ctl.fd < 0 ||
	    setsockopt(ctl.fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0 ||
	    connect(ctl.fd, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) < 0 ||
	    getsockopt(ctl.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		r = -errno;
		ctl_close(&ctl);
		return r;
	}
	ctl.uid = cred.uid;
	ctl.pid = cred.pid;
	*ret_ctl = ctl;
	return 0;
}

void ctl_close(struct ctl *ctl)
{
	if (ctl->fd >= 0)
		close(ctl->fd);
	free(ctl->buffer);
	ctl->fd = -1;
	ctl->buffer = NULL;
}

static int receive(struct ctl *ctl)
{
	struct pollfd pfd = { .fd = ctl->fd, .events = POLLIN };
	uint64_t now = now_ms();
	ssize_t n;
	int r;

	if (now >= ctl->deadline_ms)
		return -ETIMEDOUT;
	r = poll(&pfd, 1, (int)(ctl->deadline_ms - now));
	if (r <= 0)
		return r == 0 || errno == EINTR ? 0 : -errno;
	n = recv(ctl->fd, ctl->buffer, ANSWER_MAX, MSG_TRUNC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	return (size_t)n > ANSWER_MAX ? -EBADMSG : (int)n;
}

/*
 * A longer record is one that a later manager has added to; a shorter one belongs to
 * another version.
 */
static int check_answer(struct ctl *ctl, uint16_t op, int len, size_t record_size)
{
	const struct ctl_answer *answer = (const void *)ctl->buffer;

	if ((size_t)len < sizeof(*answer) || answer->magic != CTL_MAGIC)
		return -EBADMSG;
	if (answer->version != CTL_VERSION) {
		ctl->version = answer->version;
		return -EPROTO;
	}
	if (answer->error)
		return answer->error < 0 && answer->error >= -4095 ? answer->error
								   : -EBADMSG;
	if (answer->op != op || answer->count > CTL_PAGE_MAX)
		return -EBADMSG;
	if (answer->count && answer->record_size < record_size)
		return -EBADMSG;
	if (sizeof(*answer) + (uint64_t)answer->count * answer->record_size !=
	    (size_t)len)
		return -EBADMSG;
	return 0;
}

/* One question, one checked answer, which is in ctl->buffer then. */
static int ask(struct ctl *ctl, uint16_t op, uint32_t first, size_t record_size)
{
	struct ctl_request request = {
		.magic = CTL_MAGIC, .version = CTL_VERSION, .op = op, .first = first
	};
	int r;

	ctl->deadline_ms = now_ms() + ANSWER_TIMEOUT_MS;
	if (ctl->deadline_ms > ctl->give_up_ms)
		ctl->deadline_ms = ctl->give_up_ms;
	if (send(ctl->fd, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return errno == EPIPE ? -ECONNRESET : -errno;
	do
		r = receive(ctl);
	while (r == 0);
	if (r < 0)
		return r;
	return check_answer(ctl, op, r, record_size);
}

int ctl_manager(struct ctl *ctl, struct ctl_manager *ret_manager)
{
	const struct ctl_answer *answer = (const void *)ctl->buffer;
	int r;

	r = ask(ctl, CTL_OP_MANAGER, 0, sizeof(*ret_manager));
	if (r < 0)
		return r;
	if (answer->count != 1)
		return -EBADMSG;
	memcpy(ret_manager, ctl->buffer + sizeof(*answer), sizeof(*ret_manager));
	return 0;
}

int ctl_connections(struct ctl *ctl, ctl_connection_fn fn, void *ctx)
{
	const struct ctl_answer *answer = (const void *)ctl->buffer;
	struct ctl_connection record;
	uint32_t i, first = 0;
	int r;

	do {
		r = ask(ctl, CTL_OP_CONNECTIONS, first, sizeof(record));
		for (i = 0; r == 0 && i < answer->count; i++) {
			memcpy(&record,
			       ctl->buffer + sizeof(*answer) +
				       (size_t)i * answer->record_size,
			       sizeof(record));
			r = fn(ctx, &record);
		}
		if (r < 0)
			return r;
		first += answer->count;
	} while (answer->count && first < answer->total && first < CONNECTIONS_MAX);
	return 0;
}
