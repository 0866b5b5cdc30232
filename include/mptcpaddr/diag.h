/* SPDX-License-Identifier: MIT */
/*
 * diag.h - sock_diag dumps of the sockets of this network namespace
 */
#pragma once

#include <linux/inet_diag.h>
#include <stdint.h>

struct mpaddr;
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

/* diag_listeners() - likewise every listening socket of @protocol. */
int diag_listeners(int protocol, diag_fn fn, void *ctx);

/*
 * diag_abort() - reset the subflow of connection @token between two addresses and ports
 * (net/ipv4/tcp.c, tcp_abort(): RST to the peer, ECONNABORTED here)
 *
 * @if_idx: the interface that it is bound to, 0: none. It takes CAP_NET_ADMIN and
 * CONFIG_INET_DIAG_DESTROY. Return: 0 or -errno (-ENOENT: no such subflow).
 */
int diag_abort(uint32_t token, const struct mpaddr *local, const struct mpaddr *remote,
	       int if_idx);

/*
 * diag_subflow() - the MPTCP part of a TCP socket's INET_DIAG_ULP_INFO
 *
 * @ret_tb, with MPTCP_SUBFLOW_ATTR_MAX + 1 elements, is indexed by MPTCP_SUBFLOW_ATTR_*.
 * Return: 0; -ENOENT: not a subflow, or no CAP_NET_ADMIN to see it.
 */
int diag_subflow(struct nlattr *const *tb, struct nlattr **ret_tb);
