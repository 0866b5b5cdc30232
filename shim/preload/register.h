/* SPDX-License-Identifier: MIT */
/*
 * register.h - around a call that may send a SYN
 *
 *	handover = register_begin(fd);	the manager's subscription stands
 *	r = the real call;		SYN
 *	register_end(handover, fd, r);	the token is registered
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct handover;

/* register_is_mptcp() - what kind of socket it is, by the kernel. Changes errno. */
bool register_is_mptcp(int fd);

/*
 * register_begin() - make sure that this process has a manager, if it can have one
 *
 * Return: what to give to register_end(); NULL: nothing to register. errno is kept.
 */
struct handover *register_begin(int fd);

/* register_begin_listen() - the same, but only for a pool with `signal` endpoints. */
struct handover *register_begin_listen(int fd);

/* register_end() - @result is what the real call returned; errno is kept. */
void register_end(struct handover *handover, int fd, ssize_t result);

/* register_listener() - likewise around listen(): the listener is registered. */
void register_listener(struct handover *handover, int fd, int result);
