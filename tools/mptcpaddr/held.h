/* SPDX-License-Identifier: MIT */
/*
 * held.h - socket names of ours that other users hold
 */
#pragma once

#include "command.h"

/* check_held_broker() - the broker's name; @found: a broker of root's answers. */
void check_held_broker(struct findings *findings, bool found);

/* check_held_listeners() - the names by which servers that share an address choose one.
 */
void check_held_listeners(struct findings *findings);
