/* SPDX-License-Identifier: MIT */
/*
 * idle.h - an idle process is not woken by the connections of others
 */
#pragma once

#include <stdbool.h>

struct manager;

/* idle_restart() - the application has connected: its next connects are near. */
void idle_restart(struct manager *m);

/* idle_wait() - how long until idle_serve() has something to do; ms, -1: for ever. */
int idle_wait(const struct manager *m);

/* idle_serve() - stop listening to the connections of others, or begin again. */
void idle_serve(struct manager *m);

/* idle_before_wait() - before waiting: a process may have nobody left to serve. */
void idle_before_wait(struct manager *m);

/* idle_end() - no connect() is to wait for this manager any more. */
void idle_end(struct manager *m);
