/* SPDX-License-Identifier: MIT */
/*
 * closed.h - the last that the kernel says of TCP sockets, as they go
 */
#pragma once

struct nl_sock;
struct subflow;

/* One socket: ends and TCP counts; no connection, no IDs. */
typedef void (*closed_fn)(void *ctx, const struct subflow *sf);

struct closed {
	struct nl_sock *sk;
	closed_fn fn;
	void *ctx;
};

/* @c stays where it is until closed_close(). Return: 0 or -errno. */
int closed_open(struct closed *c, closed_fn fn, void *ctx);
/* What to poll for, POLLIN; -1 if it is not open. */
int closed_fd(const struct closed *c);
/* Takes what there is, without waiting. */
void closed_serve(struct closed *c);
void closed_close(struct closed *c);
