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
	_Atomic uint32_t holders;
};

/*
 * pool_copy_update() - read the pool file again if it has changed a second ago or earlier
 *
 * Another thread may do so meanwhile. For programs with MODE_POOL. Return: false: it
 * never was readable.
 */
bool pool_copy_update(void);

/* pool_copy_hold() - the last copy, which stays as it is until the release; or NULL. */
const struct pool_copy *pool_copy_hold(void);
void pool_copy_release(const struct pool_copy *copy); /* accepts NULL */
