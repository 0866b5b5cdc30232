/* SPDX-License-Identifier: MIT */
/*
 * connect.h - connect() of the program's sockets
 */
#pragma once

#include <sys/socket.h>

/*
 * connect_registered() - what the program's connect() does, with its result and errno
 *
 * @addr: not read, so that a bad pointer gives EFAULT.
 */
int connect_registered(int fd, const struct sockaddr *addr, socklen_t len);
