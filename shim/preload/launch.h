/* SPDX-License-Identifier: MIT */
/*
 * launch.h - choose the back end of this process, and start its manager
 */
#pragma once

struct handover;

/* In place of a manager of our own: connections go to broker_register(). */
#define LAUNCH_BROKER ((struct handover *)1)

/*
 * launch_manager() - the manager of this process, started now if there is none yet
 *
 * Returns once the manager is subscribed to events; LAUNCH_BROKER at once if a broker
 * answers. NULL: none (no rights, no thread, no pool, or a vfork child, whose memory is
 * its parent's). Changes errno.
 */
struct handover *launch_manager(void);

/*
 * launch_listener() - the same for a program that listens, which no broker serves
 *
 * LAUNCH_BROKER only if the process has that already.
 */
struct handover *launch_listener(void);

/*
 * launch_end() - the main thread ends: stop the manager, and join its thread
 *
 * Takes a second at most. This process will not have a manager again.
 */
void launch_end(void);
