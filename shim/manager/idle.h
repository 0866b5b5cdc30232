/* SPDX-License-Identifier: MIT */
/*
 * idle.h - filter out other processes' events while the program is idle
 */
#pragma once

#include <stdbool.h>

struct manager;

/* idle_restart() - the program has connected, and may soon connect again. */
void idle_restart(struct manager *m);

/* idle_wait() - milliseconds until idle_serve() has something to do; -1: infinite. */
int idle_wait(const struct manager *m);

/* idle_serve() - attach or remove the filter. */
void idle_serve(struct manager *m);

/* idle_before_wait() - end with a main thread that has ended. */
void idle_before_wait(struct manager *m);

/* idle_end() - release connects that wait for this manager. */
void idle_end(struct manager *m);
