/* SPDX-License-Identifier: MIT */
/*
 * request.h - netlink sockets, and requests that the kernel answers at once
 */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

/*
 * netlink_open() - a socket of NETLINK_* @protocol that listens to @groups
 *
 * A number that the kernel chooses would be the one that the program may want: it becomes
 * @slot << 22 | pid, or likewise of one of the next slots. Return: the descriptor;
 * -errno.
 */
int netlink_open(int protocol, unsigned int slot, uint32_t groups);

/*
 * netlink_grow() - one more of @size bytes in *@v, which has *@n of them
 *
 * Return: it, zeroed; NULL: no memory, or too many. The caller frees *@v.
 */
void *netlink_grow(void *v, unsigned int *n, size_t size);

/* One message of an answer. Return: 0; -errno to stop. */
typedef int (*netlink_fn)(void *ctx, struct nlmsghdr *msg);

/*
 * netlink_ask() - send @request and read its answer
 *
 * Of a dump (NLM_F_DUMP) @fn receives every message, of another request the one that
 * is not an acknowledgement. Return: 0; -errno, the kernel's or what @fn returned;
 * -EAGAIN: something changed during the dump.
 */
int netlink_ask(int fd, struct nlmsghdr *request, netlink_fn fn, void *ctx);
