// SPDX-License-Identifier: MIT
/*
 * manager.c - ask a running path manager what it has in its tables
 */
#include "manager.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "world.h"

static int dial(pid_t pid)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = 2 };
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

int manager_ask(const struct host *h, pid_t pid, struct ctl_manager *ret)
{
	struct ctl_request req = { .magic = CTL_MAGIC,
				   .version = CTL_VERSION,
				   .op = CTL_OP_MANAGER };
	struct {
		struct ctl_answer head;
		struct ctl_manager manager;
	} __attribute__((packed)) answer;
	ssize_t n;
	int fd, r;

	r = host_enter(h);
	if (r < 0)
		return r;
	fd = dial(pid);
	if (fd < 0)
		return fd;
	n = send(fd, &req, sizeof(req), MSG_NOSIGNAL);
	if (n >= 0)
		n = recv(fd, &answer, sizeof(answer), 0);
	r = n < 0 ? -errno : 0;
	close(fd);
	if (r == -EAGAIN)
		return -ETIMEDOUT;
	if (r < 0)
		return r;
	if (n < (ssize_t)sizeof(answer.head) || answer.head.magic != CTL_MAGIC)
		return -EPROTO;
	if (answer.head.error)
		return answer.head.error;
	if (n != sizeof(answer) || answer.head.count != 1 ||
	    answer.head.record_size != sizeof(answer.manager))
		return -EPROTO;
	*ret = answer.manager;
	return 0;
}
