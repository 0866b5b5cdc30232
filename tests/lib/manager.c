// SPDX-License-Identifier: MIT
/*
 * manager.c - ask a running path manager what it has in its tables
 */
#include "manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "until.h"
#include "world.h"

static int dial(pid_t pid)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = EFFECT_MS / 1000 };
	int fd, n, r;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	n = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, CTL_NAME_PREFIX "%d",
		     pid);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&sun,
		    offsetof(struct sockaddr_un, sun_path) + 1 + n) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

/* Ask @fd for @op; @answer has room for @size bytes. Return: how many came; -errno. */
static ssize_t ask(int fd, enum ctl_op op, void *answer, size_t size)
{
	struct ctl_request req = { .magic = CTL_MAGIC, .version = CTL_VERSION, .op = op };
	ssize_t n = send(fd, &req, sizeof(req), MSG_NOSIGNAL);

	if (n >= 0)
		n = recv(fd, answer, size, 0);
	if (n < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return n;
}

int manager_list(const struct host *h, pid_t pid, enum ctl_op op, void *ret, size_t size,
		 size_t max)
{
	size_t room = sizeof(struct ctl_answer) + size * CTL_PAGE_MAX;
	struct ctl_answer *head = malloc(room);
	ssize_t n;
	int fd, r;

	r = host_enter(h);
	fd = !head ? -ENOMEM : r < 0 ? r : dial(pid);
	if (fd < 0) {
		free(head);
		return fd;
	}
	n = ask(fd, op, head, room);
	close(fd);
	if (n < 0)
		r = n;
	else if (n < (ssize_t)sizeof(*head) || head->magic != CTL_MAGIC)
		r = -EPROTO;
	else if (head->error)
		r = head->error;
	else if (head->record_size != size || (head->count > max && max))
		r = -EPROTO;
	else
		r = head->count;
	if (r > 0)
		memcpy(ret, head + 1, r * size);
	free(head);
	return r;
}

int manager_ask(const struct host *h, pid_t pid, struct ctl_manager *ret)
{
	int r = manager_list(h, pid, CTL_OP_MANAGER, ret, sizeof(*ret), 1);

	return r == 1 ? 0 : r < 0 ? r : -EPROTO;
}

bool manager_listens(const struct host *h)
{
	char line[256];
	bool any = false;
	FILE *f;

	if (host_enter(h) < 0)
		return false;
	f = fopen("/proc/thread-self/net/unix", "re");
	while (f && fgets(line, sizeof(line), f))
		any |= strstr(line, "@" CTL_NAME_PREFIX) != NULL;
	if (f)
		fclose(f);
	return any;
}
