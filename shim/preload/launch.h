/* SPDX-License-Identifier: MIT */
/*
 * launch.h - choose the back end of this process, and start its manager
 */
#pragma once

#include <stdbool.h>

struct handover;

/* In place of our own manager: pass connections to broker_register(). */
#define LAUNCH_BROKER ((struct handover *)1)

/*
 * launch_manager() - get the manager of this process; start it if there is none yet
 *
 * @broker: ask for a broker first; no broker listens at announced ports. Returns once the
 * manager is subscribed to events; LAUNCH_BROKER at once if a broker answers; NULL if
 * there is none (no rights, no thread, no pool, a vfork child). Changes errno.
 */
struct handover *launch_manager(bool broker);

/* launch_is_child() - the parent's manager serves the listening sockets. Changes errno.
 */
bool launch_is_child(void);

/*
 * launch_end() - the main thread ends: stop the manager, and join its thread
 *
 * Takes a second at most. This process will not have a manager again.
 */
void launch_end(void);

/*
 * launch_pause() - end the manager's thread if it is the only one besides the caller's
 *
 * The next connect() starts a manager again. Return: whether the thread has ended. Takes
 * a second at most. Changes errno.
 */
bool launch_pause(void);

/*
 * launch_keep() - read what cannot be read after a change of the user or, with @root, of
 * the root directory. Changes errno.
 */
void launch_keep(bool root);
