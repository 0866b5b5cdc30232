/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what the parts of `mptcpaddr doctor` share: how a finding is told
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct doctor {
	bool verbose;
	bool no_pool; /* file, that is */
	unsigned int findings;
	/* For later parts: what the pools want. */
	unsigned int pools_in_use, pools_off;
	char pool_off[256]; /* one of the latter */
	char devices[16][16];
	unsigned int n_devices;
};

/* Something that hinders. */
__attribute__((format(printf, 2, 3))) void problem(struct doctor *doctor, const char *fmt,
						   ...);
/* What to do about the problem told last. */
__attribute__((format(printf, 1, 2))) void type_this(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void do_this(const char *fmt, ...);
/* Something that is well: with -v only. */
__attribute__((format(printf, 2, 3))) void well(const struct doctor *doctor,
						const char *fmt, ...);

/* The parts, in the order in which they run. */
void doctor_library(struct doctor *doctor);
void doctor_pools(struct doctor *doctor);
void doctor_kernel(struct doctor *doctor);
void doctor_devices(struct doctor *doctor);
void doctor_firewall(struct doctor *doctor);
void doctor_counters(struct doctor *doctor);
