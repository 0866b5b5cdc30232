/* SPDX-License-Identifier: MIT */
/*
 * pass_fd.h - messages with a descriptor between the processes of a supervisor
 */
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

union pass_fd_space {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

/* pass_fd_send() - does not wait. Return: as sendmsg(2). */
static inline ssize_t pass_fd_send(int channel, const void *data, size_t len, int fd)
{
	union pass_fd_space control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
						  .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { (void *)(uintptr_t)data, len };
	const struct msghdr msg = { .msg_iov = &v,
				    .msg_iovlen = 1,
				    .msg_control = &control,
				    .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* pass_fd_receive() - @ret_fd: -1 if none was free. Return: as recvmsg(2). */
static inline ssize_t pass_fd_receive(int channel, void *data, size_t len, int *ret_fd)
{
	union pass_fd_space control;
	struct iovec v = { data, len };
	struct msghdr msg = { .msg_iov = &v,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(channel, &msg, MSG_CMSG_CLOEXEC);

	*ret_fd = -1;
	if (n > 0 && CMSG_FIRSTHDR(&msg))
		memcpy(ret_fd, CMSG_DATA(&control.head), sizeof(*ret_fd));
	return n;
}
