/* SPDX-License-Identifier: MIT */
/*
 * register.h - before and after a call that may send a SYN
 *
 *	handover = register_begin(fd);	the manager is subscribed to events
 *	r = the real call;		SYN
 *	register_end(handover, fd, r);	the token is registered
 */
#pragma once

#include "mptcpaddr/first.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct handover;

/* register_is_mptcp() - ask the kernel for the socket's protocol. Changes errno. */
bool register_is_mptcp(int fd);

/*
 * register_begin() - start a manager, if this process can have one. Keeps errno.
 *
 * Return: the argument for register_end(); NULL: nothing to register.
 */
struct handover *register_begin(int fd);

/* register_begin_listen() - the same if a manager runs or the pool has `signal`. */
struct handover *register_begin_listen(int fd);

#define REGISTER_NO_LEN UINT32_MAX /* unknown; perhaps only the SYN has been sent */

/*
 * register_end() - @result is the real call's. Keeps errno.
 *
 * @len: of the address, which is too short for an AF_INET6 socket or not.
 */
void register_end(struct handover *handover, int fd, socklen_t len, ssize_t result);

/* The same in two steps, the first once for each attempt; @handover is not NULL. */
void register_started(struct handover *handover, int fd, socklen_t len, ssize_t result,
		      enum first_why why);
void register_done(struct handover *handover);

/* register_listener() - the same after listen(). */
void register_listener(struct handover *handover, int fd, int result);

/*
 * register_inherited() - find listening sockets for which nobody here calls listen()
 *
 * They come from another process: reload, upgrade, activation. Cheap unless called for
 * the first time. Keeps errno.
 */
void register_inherited(void);

/* register_at_load() - the same, and connected sockets, before the program's main(). */
void register_at_load(void);
