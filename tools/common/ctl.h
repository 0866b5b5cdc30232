/* SPDX-License-Identifier: MIT */
/*
 * ctl.h - find the managers' control sockets and send them requests
 */
#pragma once

#include "mptcpaddr/control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ctl {
	int fd;
	int64_t began_ms, give_up_ms; /* of all answers together, CLOCK_MONOTONIC */
	unsigned int version;	      /* of an answer in another protocol version */
	uint32_t uid;		      /* of the manager, as the kernel says */
	pid_t pid;		      /* 0: in a PID namespace that we cannot see */
	char *buffer;		      /* the last answer */
};

#define CTL_USERS_MAX 16 /* others share the last one */

/* The time that users' managers have cost without an answer, and their failures. */
struct ctl_budget {
	struct ctl_user {
		uint32_t uid;
		int64_t lost_ms;
		unsigned int failed, unasked;
	} users[CTL_USERS_MAX];
	unsigned int n;
};

/*
 * ctl_open() - connect to the local socket @name, if its manager answers this user
 *
 * Waits only for room in the backlog of a manager of root's or this user's own. @budget
 * may be NULL. Return: 0; -ECONNREFUSED if nobody listens; -EAGAIN if its backlog is
 * full; -EPERM if it is another user's, and we are not root; -EUSERS if its user has no
 * time left in @budget; another -errno. After -EPERM and -EUSERS, ret_ctl->uid and pid
 * are known.
 */
int ctl_open(const char *name, struct ctl_budget *budget, struct ctl *ret_ctl);
void ctl_close(struct ctl *ctl);

/* ctl_open_broker() - the same with the broker of this network namespace. */
int ctl_open_broker(struct ctl *ret_ctl);
/* ctl_ask_broker() - what it says of itself. Return: 0; -errno, with zeros. */
int ctl_ask_broker(struct ctl_manager *ret_about);

/*
 * ctl_charge() - charge @ctl's user for the time since ctl_open(): it failed
 *
 * Return: its entry.
 */
struct ctl_user *ctl_charge(struct ctl_budget *budget, const struct ctl *ctl);

/*
 * ctl_send() - send a request; ctl_receive() - wait for an answer and check it
 *
 * Return: 0; -ETIMEDOUT, -EPROTO (another version, in ctl->version), -EBADMSG (invalid),
 * -ECONNRESET (it hung up: it does not serve this user), or the manager's error. After 0
 * ctl_answer() and its records are valid until the next ctl_receive(). Records may be
 * longer than @record_size, never shorter.
 */
int ctl_send(struct ctl *ctl, uint16_t op, uint64_t after);
int ctl_receive(struct ctl *ctl, uint16_t op, size_t record_size, int timeout_ms);
/* ctl_ask() - both, within the time limits for one answer and for all answers */
int ctl_ask(struct ctl *ctl, uint16_t op, uint64_t after, size_t record_size);
/* Copies record @i, which must be less than the answer's count. */
void ctl_record(const struct ctl *ctl, uint32_t i, void *ret, size_t record_size);

static inline const struct ctl_answer *ctl_answer(const struct ctl *ctl)
{
	return (const void *)ctl->buffer;
}

/*
 * ctl_read() - all records of @op, page by page
 *
 * Return: 0 with an array that the caller frees, NULL if there are none; errors as
 * ctl_receive(), -E2BIG (too many records), -ENOMEM.
 */
int ctl_read(struct ctl *ctl, uint16_t op, size_t record_size, void *ret_array,
	     size_t *ret_n);

/* Its task name: a manager of other processes' connections (mptcpaddr run). */
#define CTL_STAND_IN "mptcpaddr"

/* ctl_is_stand_in() - the manager @pid serves processes other than itself. */
bool ctl_is_stand_in(pid_t pid);

#define NAMES_MAX     65536
#define NAME_TEXT_MAX 80

/*
 * ctl_find_names() - the names of all listening control sockets of this network
 * namespace, whoever bound them (/proc/net/unix)
 *
 * Return: 0 with an array that the caller frees; -errno; -E2BIG with the first NAMES_MAX
 * of them.
 */
int ctl_find_names(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n);
