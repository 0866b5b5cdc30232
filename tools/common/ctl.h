/* SPDX-License-Identifier: MIT */
/*
 * ctl.h - ask one manager, over its control socket
 */
#pragma once

#include "mptcpaddr/control.h"
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ctl {
	int fd;
	int64_t give_up_ms;   /* of all answers together, CLOCK_MONOTONIC */
	unsigned int version; /* of an answer that was of another one */
	uint32_t uid;	      /* the manager's, as the kernel says it */
	pid_t pid;	      /* 0 if it lives in a PID namespace that we cannot see */
	char *buffer;	      /* the last answer */
};

/*
 * ctl_open() - connect to the abstract socket @name
 *
 * Return: 0; -ECONNREFUSED if nobody is there, -EAGAIN if it takes nobody in, or
 * another -errno.
 */
int ctl_open(const char *name, struct ctl *ret_ctl);
void ctl_close(struct ctl *ctl);

/*
 * ctl_send() - one question; ctl_receive() - wait for an answer to it and check it
 *
 * Return: 0; -ETIMEDOUT, -EPROTO (another version: then ctl->version says which),
 * -EBADMSG (no sense in it), -ECONNRESET (it hung up: it does not serve this user), or
 * what the manager said. After 0 ctl_answer() and its records can be looked at until the
 * next receive. Records of a later version are longer than @record_size, never shorter.
 */
int ctl_send(struct ctl *ctl, uint16_t op, uint64_t after);
int ctl_receive(struct ctl *ctl, uint16_t op, size_t record_size, int timeout_ms);
/* Both, within a time that suits an answer. */
int ctl_ask(struct ctl *ctl, uint16_t op, uint64_t after, size_t record_size);
const struct ctl_answer *ctl_answer(const struct ctl *ctl);
/* Copies record @i, which must be one of them. */
void ctl_record(const struct ctl *ctl, uint32_t i, void *ret, size_t record_size);

/*
 * ctl_read() - all records of @op, page by page
 *
 * Return: 0 with an array that the caller frees, NULL if there are none; errors as
 * ctl_receive(), and -E2BIG for more records than there can be, -ENOMEM.
 */
int ctl_read(struct ctl *ctl, uint16_t op, size_t record_size, void *ret_array,
	     size_t *ret_n);
