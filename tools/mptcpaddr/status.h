/* SPDX-License-Identifier: MIT */
/*
 * status.h - what mptcpaddr status shows of this network namespace
 */
#pragma once

#include "doctor.h"
#include "tools/mptcpinfo/snapshot.h"

/* Of a program's manager */
struct status_note {
	struct pm_note note;
	const char *program;
};

struct status {
	struct pool_files files;
	struct snapshot snap;
	struct status_note *notes; /* of all managers, in the order of their times */
	size_t n_notes;
	const char *backend; /* of programs that start now: find_backend() */
	bool path_fails;     /* an uplink that is up does not answer */
};

/* status_is_problem() - whether @note is about something that went wrong */
bool status_is_problem(const struct pm_note *note);

/* status_print_uplinks() - each with its traffic and health; sets path_fails */
void status_print_uplinks(struct status *status);
