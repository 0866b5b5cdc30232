/* SPDX-License-Identifier: MIT */
/*
 * writers.h - print a snapshot
 *
 * Return of each: 0; -errno if the output could not be written whole.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct snapshot;

int write_table(const struct snapshot *snap, bool colour, FILE *out);
/* What the path managers have counted: per connection, program and namespace. */
int write_counters(const struct snapshot *snap, bool colour, FILE *out);
/* @one_line: no line end but the last, so that documents can follow each other. */
int write_json(const struct snapshot *snap, bool one_line, FILE *out);
int write_counters_json(const struct snapshot *snap, bool one_line, FILE *out);
int write_prometheus(const struct snapshot *snap, FILE *out);

struct options;

/* Whichever of them @o asks for, to @out. */
int write_view(const struct options *o, const struct snapshot *snap, FILE *out);
