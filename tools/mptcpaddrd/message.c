// SPDX-License-Identifier: MIT
/*
 * message.c - parse the record that a program sends (mptcpaddr/broker.h)
 *
 * Pure: bytes in, a record out. All other input from users is the pool, which
 * shim/pool/parse.c reads.
 */
#include "message.h"

#include <errno.h>
#include <string.h>

/* For logs and tables: control characters become question marks. */
static int copy_text(const char *from, size_t size, bool slashes, char *to)
{
	size_t len = strnlen(from, size), i;

	if (len == size)
		return -EINVAL; /* no NUL */
	for (i = 0; i < len; i++) {
		const unsigned char c = from[i];

		to[i] = c < ' ' || c >= 0x7f || (c == '/' && !slashes) ? '?' : (char)c;
	}
	to[len] = '\0';
	return 0;
}

int record_parse(const void *data, size_t len, struct record *ret_record)
{
	const size_t least = sizeof(struct broker_head) + sizeof(struct broker_program);
	struct broker_program sent;
	struct broker_head head;
	struct record record;

	if (len < sizeof(head))
		return -EMSGSIZE;
	memcpy(&head, data, sizeof(head));
	if (head.magic != BROKER_MAGIC)
		return -EBADMSG;
	if (head.version != BROKER_VERSION)
		return -EPROTO;
	if (len < least || len > BROKER_RECORD_MAX || head.pool_len != len - least)
		return -EMSGSIZE;
	memcpy(&sent, (const char *)data + sizeof(head), sizeof(sent));
	if (!head.token || (head.flags & ~BROKER_FLAG_V6ONLY) ||
	    copy_text(sent.program, sizeof(sent.program), false, record.program) < 0 ||
	    copy_text(sent.path, sizeof(sent.path), true, record.path) < 0)
		return -EINVAL;
	if (!record.program[0])
		strcpy(record.program, "?");
	record.token = head.token;
	record.v6only = head.flags & BROKER_FLAG_V6ONLY;
	record.pool = (const char *)data + least;
	record.pool_len = head.pool_len;
	*ret_record = record;
	return 0;
}
