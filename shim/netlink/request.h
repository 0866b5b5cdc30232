/* SPDX-License-Identifier: MIT */
/*
 * request.h - netlink sockets, and requests that the kernel answers at once
 */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct nlattr;

/*
 * netlink_open() - a socket of NETLINK_* @protocol that listens to @groups
 *
 * Its port number is @slot << 22 | pid, or of one of the next slots: the kernel would
 * choose the pid, which the program may want. Return: the descriptor; -errno.
 */
int netlink_open(int protocol, unsigned int slot, uint32_t groups);

/* netlink_number() - an attribute of 1, 2 or 4 bytes; NULL, other lengths: 0. */
uint32_t netlink_number(const struct nlattr *attr);

/*
 * netlink_grow() - append a zeroed element of @size bytes to the array *@v of *@n
 *
 * Return: the element; NULL: no memory, or too many. The caller frees *@v.
 */
void *netlink_grow(void *v, unsigned int *n, size_t size);

/* One message of an answer. Return: 0; -errno to stop. */
typedef int (*netlink_fn)(void *ctx, struct nlmsghdr *msg);

/*
 * netlink_ask() - send @request and read its answer
 *
 * @fn is called with each message of a dump (NLM_F_DUMP), or with the only one of another
 * request, but not with an acknowledgement. Return: 0; the kernel's or @fn's -errno;
 * -EAGAIN: something changed during the dump.
 */
int netlink_ask(int fd, struct nlmsghdr *request, netlink_fn fn, void *ctx);
