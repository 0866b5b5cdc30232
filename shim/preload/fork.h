/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what becomes of a manager's connections in a forked child
 */
#pragma once

struct handover;

/*
 * fork_watch() - from now on, a child that is forked while the manager has connections
 * gets a manager that waits for this process to end, and takes them over then
 */
void fork_watch(struct handover *handover);
