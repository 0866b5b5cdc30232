/* SPDX-License-Identifier: MIT */
/*
 * options.h - what the command line asks for
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
	bool watch;    /* again and again; with FORMAT_JSON one document a line */
	bool events;
	unsigned int interval_ms; /* between two looks */
	bool colour; /* standard output is a terminal, and NO_COLOR is not set */
};

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1, /* not listed, or not written */
	EXIT_USAGE = 2,
};
