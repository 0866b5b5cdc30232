/* SPDX-License-Identifier: MIT */
/*
 * fork.h - start a manager in a forked child that inherits connections
 */
#pragma once

struct handover;

/*
 * fork_watch() - from now on, a child forked while the manager has connections starts a
 * manager of its own, which takes them over when this process ends
 */
void fork_watch(struct handover *handover);
