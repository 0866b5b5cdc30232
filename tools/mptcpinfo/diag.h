/* SPDX-License-Identifier: MIT */
/*
 * diag.h - sock_diag dumps, and what one answer says of any socket
 */
#ifndef MPTCPINFO_DIAG_H
#define MPTCPINFO_DIAG_H

#include <linux/inet_diag.h>
#include <stddef.h>
#include <stdint.h>

struct inet_addr;
struct nlattr;

/* One socket; @tb is indexed by INET_DIAG_*. Return: 0, or -errno to stop the dump. */
typedef int (*diag_fn)(void *ctx, const struct inet_diag_msg *msg,
		       struct nlattr *const *tb);

/*
 * diag_dump() - every socket of @protocol (IPv4 and IPv6), but no listener, no
 * TIME-WAIT one
 *
 * Return: 0, the callback's error, or -errno (-ENOENT: the kernel cannot tell).
 */
int diag_dump(int protocol, diag_fn fn, void *ctx);

void diag_local(const struct inet_diag_msg *msg, struct inet_addr *ret_addr);
void diag_remote(const struct inet_diag_msg *msg, struct inet_addr *ret_addr);

#endif
