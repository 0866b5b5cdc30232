/* SPDX-License-Identifier: MIT */
/*
 * life.h - a connection with two announcements, both joined, in an engine
 */
#pragma once

#include <stdint.h>

/* The pool that joins them */
#define LIFE_POOL                                            \
	"[pool]\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n" \
	"endpoint = 2001:0:0:2::2\nendpoint = 2001:0:0:3::2\n"

struct engine;

/* life_connect() - of @family with @token. Return: 0; -errno; -EPROTO without a join. */
int life_connect(struct engine *engine, uint16_t family, uint32_t token);
