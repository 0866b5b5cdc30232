/* SPDX-License-Identifier: MIT */
/*
 * thread.h - the manager thread, until the path manager library takes over
 */
#pragma once

#include <stdbool.h>

struct handover;

/* thread_main() - start routine of the manager thread; @arg is its struct handover. */
void *thread_main(void *arg);

/* thread_log_open() - h->log_fd as the environment wants it, and the log goes there. */
void thread_log_open(struct handover *handover);

/* launch_state() - called by the thread: it is subscribed, or there is no manager. */
void launch_state(struct handover *handover, bool running);
