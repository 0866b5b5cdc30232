/* SPDX-License-Identifier: MIT */
/*
 * explain.h - why a connection has fewer paths than its pool allows
 */
#pragma once

#include <stdbool.h>

#define EXPLAIN_MAX 640

struct connection;
struct snapshot;

/* Return: whether there is anything to explain; then one line without its end. */
bool explain(const struct snapshot *snap, const struct connection *conn,
	     char out[static EXPLAIN_MAX]);
