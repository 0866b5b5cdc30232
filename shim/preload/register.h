/* SPDX-License-Identifier: MIT */
/*
 * register.h - around a call that may send a SYN
 *
 *	handover = attempt_begin(fd);	the manager's subscription stands
 *	r = the real call;		SYN
 *	attempt_end(handover, fd, r);	the token is registered
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct handover;

/* attempt_is_mptcp() - what kind of socket it is, by the kernel. Changes errno. */
bool attempt_is_mptcp(int fd);

/*
 * attempt_begin() - make sure that this process has a manager, if it can have one
 *
 * Return: what to give to attempt_end(); NULL: nothing to register. errno is kept.
 */
struct handover *attempt_begin(int fd);

/* attempt_begin_listen() - the same, if there is one or the pool has `signal` endpoints.
 */
struct handover *attempt_begin_listen(int fd);

/* attempt_end() - @result is what the real call returned; errno is kept. */
void attempt_end(struct handover *handover, int fd, ssize_t result);

/* attempt_listen() - likewise around listen(): the listener is registered. */
void attempt_listen(struct handover *handover, int fd, int result);
