/* SPDX-License-Identifier: MIT */
/*
 * takeover.h - the connections that a manager leaves behind, and who gets them
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The nonce keeps others, and other PID namespaces, from having the name before us. */
struct takeover_name {
	pid_t pid;
	uint64_t nonce;
};

struct takeover {
	int listener; /* bound to our own name, never accepting; -errno: none */
	struct takeover_name of; /* whose takeover is waited for; pid 0: nobody's */
	int watch;		 /* hangs up when its holder ends; -errno: not watching */
	int claimed;		 /* bound to the name of `of` since we got it; -errno */
};

/* takeover_open() - forked children may wait for us from now on. */
void takeover_open(struct takeover *takeover, const struct takeover_name *own);

/*
 * takeover_wait() - wait for the takeover of @of
 *
 * Return: true if it is ours at once, because its holder is gone already; false while
 * `watch` is to be polled, or takeover_must_retry() says so.
 */
bool takeover_wait(struct takeover *takeover, const struct takeover_name *of);

/* takeover_must_retry() - whether to call takeover_retry() a while later. */
bool takeover_must_retry(const struct takeover *takeover);

/* takeover_retry() - `watch` has hung up, or it is time again. As takeover_wait(). */
bool takeover_retry(struct takeover *takeover);
void takeover_close(struct takeover *takeover);
