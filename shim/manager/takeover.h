/* SPDX-License-Identifier: MIT */
/*
 * takeover.h - decide which child takes over the connections of a process that ends
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define TAKEOVER_NAME_MAX 48

struct takeover {
	int listener; /* bound to our own name; never accepts; -errno: none */
	char name[TAKEOVER_NAME_MAX]; /* of the process whose connections we wait for */
	int watch;   /* hangs up when that process ends; -errno: not watching */
	int claimed; /* bound to `name` since we got it; -errno */
};

/*
 * takeover_open() - let forked children wait for the end of this process
 *
 * The nonce keeps others, and other PID namespaces, from taking the name before us.
 */
void takeover_open(struct takeover *takeover, pid_t pid, uint64_t nonce);

/*
 * takeover_wait() - wait for the end of the process @pid
 *
 * Return: true if it has ended already and the name is ours; false while `watch` must be
 * polled, or takeover_must_retry() returns true.
 */
bool takeover_wait(struct takeover *takeover, pid_t pid, uint64_t nonce);

/* takeover_must_retry() - whether to call takeover_retry() a while later. */
bool takeover_must_retry(const struct takeover *takeover);

/* takeover_retry() - `watch` has hung up, or it is time again. As takeover_wait(). */
bool takeover_retry(struct takeover *takeover);
void takeover_close(struct takeover *takeover);
