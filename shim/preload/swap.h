/* SPDX-License-Identifier: MIT */
/*
 * swap.h - put a plain TCP socket in the place of an MPTCP socket
 */
#pragma once

#include <stdbool.h>

/*
 * swap_sockets() - give @plain, a new TCP socket, the number and all that @fd has
 *
 * Except option @level, @name. @fd is neither bound nor connected. The caller closes
 * @plain. Return: false, with @fd unchanged, if something would be lost: another
 * descriptor or an epoll has the socket, or that cannot be known. Changes errno.
 */
bool swap_sockets(int fd, int plain, int level, int name);
