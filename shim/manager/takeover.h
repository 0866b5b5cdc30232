/* SPDX-License-Identifier: MIT */
/*
 * takeover.h - the connections that a manager leaves behind, and who gets them
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The nonce keeps others, and other PID namespaces, from having the name before us. */
struct estate_name {
	pid_t pid;
	uint64_t nonce;
};

struct estate {
	int listener;	       /* bound to our own name, never accepting; -errno: none */
	struct estate_name of; /* whose estate is waited for; pid 0: nobody's */
	int watch;	       /* hangs up when its holder ends; -errno: not watching */
	int claimed;	       /* bound to the name of `of` since we got it; -errno */
};

/* estate_open() - forked children may wait for us from now on. */
void estate_open(struct estate *estate, const struct estate_name *own);

/*
 * estate_wait() - wait for the estate of @of
 *
 * Return: true if it is ours at once, because its holder is gone already; false while
 * `watch` is to be polled, or estate_again() says so.
 */
bool estate_wait(struct estate *estate, const struct estate_name *of);

/* estate_again() - whether to call estate_hung_up() a while later. */
bool estate_again(const struct estate *estate);

/* estate_hung_up() - `watch` has hung up, or it is time again. As estate_wait(). */
bool estate_hung_up(struct estate *estate);
void estate_close(struct estate *estate);
