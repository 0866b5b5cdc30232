// SPDX-License-Identifier: MIT
/*
 * message.c - check the record that a program sends (mptcpaddr/broker.h)
 *
 * Pure. All other input from users is the pool, which shim/pool/parse.c reads.
 */
#include "message.h"
#include "mptcpaddr/first.h"
#include "shim/common/sockopt.h"

#include <stdbool.h>
#include <string.h>

/* For logs and tables, replace control characters and @also. Return: false: no NUL. */
static bool clean_text(char *text, size_t size, char also)
{
	if (strnlen(text, size) == size)
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == also)
			*text = '?';
	return true;
}

const char *record_check(struct record *record, size_t len)
{
	const size_t least = offsetof(struct record, pool);
	struct broker_head *head = &record->head;
	struct broker_program *id = &record->program;
	sockopt_report unused = { 0 };
	uint16_t option;
	bool first;

	if (len < sizeof(*head))
		return "a record of the wrong length";
	first = head->magic == BROKER_MAGIC_FIRST;
	if (head->magic != BROKER_MAGIC && !first)
		return "not a registration record";
	if ((head->version & 0xff) != BROKER_VERSION ||
	    head->version >> BROKER_WHY_SHIFT > FIRST_WHY_RACE)
		return "a record of another version";
	if (len < least || len > sizeof(*record) || head->pool_len != len - least)
		return "a record of the wrong length";
	option = BROKER_OPTION(head->flags);
	if ((!first && !head->token) || (option && !sockopt_unpack(unused, option)) ||
	    !clean_text(id->program, sizeof(id->program), '/') ||
	    !clean_text(id->path, sizeof(id->path), '\0'))
		return "a record with impossible values";
	if (!id->program[0])
		strcpy(id->program, "?");
	return NULL;
}
