/* SPDX-License-Identifier: MIT */
/*
 * launch.h - the manager thread: one a process, from its first MPTCP connect on
 */
#pragma once

#include <stdbool.h>

struct handover;

/* In place of a manager of our own: connections go to broker_register(). */
#define LAUNCH_BROKER ((struct handover *)1)

/*
 * launch_manager() - the manager of this process, started now if there is none yet
 *
 * Returns when the event subscription stands; LAUNCH_BROKER at once, where a broker
 * answers. NULL: there is none (no rights, no thread, no pool), or this is a vfork
 * child, whose memory is its parent's. Changes errno.
 */
struct handover *launch_manager(void);

/*
 * launch_listener() - the same for a program that listens, which a broker does not serve
 *
 * LAUNCH_BROKER only if that was chosen before.
 */
struct handover *launch_listener(void);

/*
 * launch_heir() - in a forked child: a manager that takes over when the parent ends
 *
 * @handover is the child's copy of the parent's. Does nothing if there is no connection
 * to inherit. Return: whether it did.
 */
bool launch_heir(struct handover *handover);

/*
 * launch_forget() - in a forked child that inherits nothing: it has no manager yet
 *
 * In a PID namespace of its own it may have its parent's number.
 */
void launch_forget(void);

/*
 * launch_over() - the main thread ends: so does the manager, and its thread is waited for
 *
 * For a second at most. This process will not have a manager again.
 */
void launch_over(void);

/* launch_is_vfork_child() - whether this runs on the memory of a parent that waits. */
bool launch_is_vfork_child(void);

/* launch_alone() - the broker is gone: the next connect decides anew. */
void launch_alone(void);

/*
 * wake_manager() - wake the manager for once without an event; changes errno
 *
 * Return: false if that cannot be done from here.
 */
bool wake_manager(struct handover *handover);

/* wake_open_filter() - wait until the manager receives all events; changes errno. */
void wake_open_filter(struct handover *handover);

/* launch_running() - whether this process has a manager. */
bool launch_running(void);
