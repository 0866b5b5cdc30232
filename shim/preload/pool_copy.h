/* SPDX-License-Identifier: MIT */
/*
 * pool_copy.h - the text of the pool file, cached until the file changes
 */
#pragma once

#include "mptcpaddr/broker.h"
#include "syscall.h"

/* The rest of every record after its head, as it is sent. */
struct pool_copy {
	struct broker_program program;
	char text[BROKER_POOL_MAX];
	uint32_t len;
	struct statx st; /* of the file when it was read */
};

/*
 * pool_copy_get() - the pool file, at most a second old
 *
 * Older while another thread reads it again, and if the file cannot be read any more.
 * NULL: it never was readable. For programs with MODE_POOL.
 */
const struct pool_copy *pool_copy_get(void);
