/* SPDX-License-Identifier: MIT */
/*
 * wake.h - wake the manager, open its event filter
 */
#pragma once

#include <stdbool.h>

struct handover;

/*
 * wake_manager() - make the manager read the handover without an event; changes errno
 *
 * Return: false if the manager cannot be reached.
 */
bool wake_manager(struct handover *handover);

/* wake_open_filter() - wait until the manager receives all events; changes errno. */
void wake_open_filter(struct handover *handover);
