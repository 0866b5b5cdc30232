/* SPDX-License-Identifier: MIT */
/*
 * message.h - check the record that a program sends (mptcpaddr/broker.h)
 */
#pragma once

#include "mptcpaddr/broker.h"

#include <stddef.h>

struct record {
	struct broker_head head;
	struct broker_program program;
	char pool[BROKER_POOL_MAX]; /* head.pool_len bytes */
};

/*
 * record_check() - check @len untrusted bytes at @record
 *
 * Both texts become printable; the program's name has no slash, and is not empty.
 * Return: NULL, or the reason to refuse it.
 */
const char *record_check(struct record *record, size_t len);
