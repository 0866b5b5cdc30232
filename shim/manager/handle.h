/* SPDX-License-Identifier: MIT */
/*
 * handle.h - registrations from the program, events from the kernel
 */
#pragma once

#include "state.h"

/* handle_events() - give everything in the queue to the engine. */
void handle_events(struct manager *m);
/* handle_registrations() - take what connect() has registered since the last call. */
void handle_registrations(struct manager *m);
/* handle_inherited() - take the registrations from before this process was forked. */
void handle_inherited(struct manager *m);
/* handle_early() - drop events that no registration explains in time. */
void handle_early(struct manager *m);
