/* SPDX-License-Identifier: MIT */
/*
 * fork.h - what becomes of a manager's connections in a forked child
 */
#ifndef MPTCPADDR_FORK_H
#define MPTCPADDR_FORK_H

struct handover;

/*
 * fork_watch() - from now on, a child that is forked while the manager has connections
 * gets a manager that waits for this process to end, and takes them over then
 */
void fork_watch(struct handover *handover);

#endif
