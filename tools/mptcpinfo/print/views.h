/* SPDX-License-Identifier: MIT */
/*
 * views.h - what main() hands over to
 *
 * Each says itself what is wrong, and returns mptcpinfo's exit status.
 */
#pragma once

struct options;

/* --watch, and --json --watch: look every o->interval_ms until SIGINT. */
int watch_main(const struct options *o);

/* --events: a line for each event of the managers, until SIGINT. */
int events_main(const struct options *o);

/* run: @argv, NULL-terminated, is the program and its arguments. Its exit status. */
int run_main(const struct options *o, char **argv);
