/* SPDX-License-Identifier: MIT */
/*
 * options.h - the parsed command line
 */
#pragma once

#include "tools/mptcpinfo/collect/collect.h"

#include <stdbool.h>

enum format {
	FORMAT_TABLE, /* for people */
	FORMAT_JSON,
	FORMAT_PROMETHEUS,
};

struct options {
	struct filter filter;
	enum format format;
	bool counters; /* of the path managers, instead of the connections */
	bool watch;
	bool events;
	unsigned int interval_ms; /* between two snapshots */
	bool colour; /* standard output is a terminal, and NO_COLOR is not set */
};

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* not listed, or not written */
	EXIT_USAGE = 2,
};
