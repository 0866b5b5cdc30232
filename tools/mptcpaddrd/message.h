/* SPDX-License-Identifier: MIT */
/*
 * message.h - parse the record that a program sends (mptcpaddr/broker.h)
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
 * record_parse() - parse @len untrusted bytes at @data
 *
 * Return: 0; -EMSGSIZE: wrong length; -EBADMSG: not a record; -EPROTO: another version;
 * -EINVAL: impossible values.
 */
int record_parse(const void *data, size_t len, struct record *ret_record);
