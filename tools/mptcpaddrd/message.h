/* SPDX-License-Identifier: MIT */
/*
 * message.h - read what a program sends (mptcpaddr/broker.h)
 */
#pragma once

#include "mptcpaddr/broker.h"

#include <stdbool.h>
#include <stddef.h>

struct record {
	uint32_t token;
	bool v6only;
	char program[64]; /* printable, without slashes, not empty */
	char path[1024];  /* printable */
	const char *pool; /* within the datagram */
	size_t pool_len;
};

/*
 * record_parse() - believe nothing of @len bytes at @data
 *
 * Return: 0; -EMSGSIZE: too short or too long; -EBADMSG: not such a record; -EPROTO:
 * of another version; -EINVAL: its fields make no sense.
 */
int record_parse(const void *data, size_t len, struct record *ret_record);
