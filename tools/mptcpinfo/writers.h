/* SPDX-License-Identifier: MIT */
/*
 * writers.h - print a snapshot
 *
 * Return of each: 0; -errno if the output could not be written whole.
 */
#ifndef MPTCPINFO_WRITERS_H
#define MPTCPINFO_WRITERS_H

#include <stdio.h>

struct snapshot;

int write_table(const struct snapshot *snap, FILE *out);
int write_json(const struct snapshot *snap, FILE *out);

#endif
