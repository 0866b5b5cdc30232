/* SPDX-License-Identifier: MIT */
/*
 * owner.h - which manager serves this process: its own thread, the broker or none
 *
 * One word, which forked children inherit: the process in the upper bits (PID_MAX_LIMIT
 * is 2^22) and its state, so that a child does not take its parent's manager for its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum owner_state {
	OWNER_STARTING,
	OWNER_RUNNING,
	OWNER_FAILED, /* for good, unless a broker starts */
	OWNER_STATES,
};

/* Valid in forked children, too: registering with the broker keeps no state. */
#define OWNER_BROKER UINT32_MAX

static inline uint32_t owner_word(pid_t pid, enum owner_state state)
{
	return (uint32_t)pid * OWNER_STATES + state;
}

uint32_t owner_get(void);

/* owner_replace() - set @word if the owner still is @seen. Return: whether it was. */
bool owner_replace(uint32_t seen, uint32_t word);

/* owner_set() - the manager of @pid is in @state; wakes all that wait for a change. */
void owner_set(pid_t pid, enum owner_state state);

/* owner_futex() - the word itself, to wait for a change */
_Atomic uint32_t *owner_futex(void);

/* owner_wait_change() - wait until the owner is not @word any more, or for 20 ms. */
void owner_wait_change(uint32_t word);

/* owner_is_vfork_child() - thread @tid, the caller, runs on its waiting parent's memory
 */
bool owner_is_vfork_child(pid_t tid);
