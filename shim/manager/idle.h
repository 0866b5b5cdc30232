/* SPDX-License-Identifier: MIT */
/*
 * idle.h - an idle process is not woken by the connections of others
 */
#pragma once

#include <stdbool.h>

struct manager;

/* quiet_restart() - the application has connected: its next connects are near. */
void quiet_restart(struct manager *m);

/* quiet_wait() - how long until quiet_serve() has something to do; ms, -1: for ever. */
int quiet_wait(const struct manager *m);

/* quiet_serve() - stop listening to the connections of others, or begin again. */
void quiet_serve(struct manager *m);

/* quiet_rest() - before waiting: a process may have nobody left to serve. */
void quiet_rest(struct manager *m);

/* quiet_end() - no connect() is to wait for this manager any more. */
void quiet_end(struct manager *m);
