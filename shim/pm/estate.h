/* SPDX-License-Identifier: MIT */
/*
 * estate.h - the connections that a manager leaves behind, and who gets them
 */
#ifndef MPTCPADDR_ESTATE_H
#define MPTCPADDR_ESTATE_H

#include <stdbool.h>
#include <sys/types.h>

struct estate {
	pid_t own;    /* the PID that names what this manager will leave */
	int listener; /* bound to that name, never accepting; -1: none */
	pid_t of;     /* the PID whose estate is waited for; 0: none */
	int watch;    /* hangs up when its holder ends; -1: not watching */
	int claimed;  /* bound to the name of `of` since this manager got it; -1 */
};

/* estate_open() - forked children may wait for us from now on. */
void estate_open(struct estate *estate, pid_t own);

/*
 * estate_wait() - wait for the estate of @of
 *
 * Return: true if it is ours at once, because its holder is gone already; false while
 * `watch` is to be polled, or when there is nothing to be had.
 */
bool estate_wait(struct estate *estate, pid_t of);

/* estate_hung_up() - `watch` has hung up. Return: as estate_wait(). */
bool estate_hung_up(struct estate *estate);
void estate_close(struct estate *estate);

#endif
