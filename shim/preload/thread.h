/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the manager thread, until the path manager library takes over
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#define THREAD_LATE_S 10 /* a busy machine may not run the thread for so long */

struct handover;

/*
 * thread_start() - start the manager thread of handover->pid
 *
 * It sets the owner to OWNER_RUNNING once it is subscribed to the kernel's events, and
 * to OWNER_FAILED when it ends. Return: 0, or an errno.
 */
int thread_start(struct handover *handover);

/* thread_load_library() - before thread_start() if the library cannot be read then. */
void thread_load_library(void);

/* thread_wait_while() - wait for the thread to change @word, THREAD_LATE_S at most and
 * not after its end. Changes errno. */
void thread_wait_while(_Atomic uint32_t *word, uint32_t value);

/* thread_join() - wait until the manager thread has ended, if there was one. */
void thread_join(void);

/* thread_forget() - in a forked child, which has no such thread. */
void thread_forget(void);
