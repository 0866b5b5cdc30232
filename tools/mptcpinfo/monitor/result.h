/* SPDX-License-Identifier: MIT */
/*
 * result.h - what is known of a run at its end: a few lines for people, and a page
 */
#pragma once

#include "tools/mptcpinfo/monitor/traffic.h"
#include "tools/mptcpinfo/print/print.h"

#define RESULT_EVENTS_MAX 200

struct why {
	char text[EXPLAIN_MAX];
	size_t connections; /* that it explains */
};

struct result {
	char **argv;	       /* of the program */
	struct snapshot *snap; /* all connections, as last seen */
	struct traffic traffic;
	int64_t began_ns;  /* CLOCK_REALTIME, of traffic.began_us */
	int64_t ended_us;  /* clock_us() */
	bool keeps_events; /* for the page */
	struct event *events;
	size_t n_events, more_events; /* more: not kept */
	struct why *whys;
	size_t n_whys;
};

void result_begin(struct result *result, char **argv, struct snapshot *snap);
void result_add_event(struct result *result, const struct event *event);
/* result_end() - the connections are complete: explain them, sort events */
void result_end(struct result *result);
void result_free(struct result *result);

double result_seconds(const struct result *result);
/* The program that had all connections, or the one that was run. Return: @out. */
const char *result_program(const struct result *result, char out[static PROGRAM_MAX]);

/* result_write() - totals, paths, and why others are missing, in a few lines */
void result_write(const struct result *result, bool colour, FILE *out);

/* report_write() - a page of HTML that needs nothing else */
void report_write(const struct result *result, FILE *out);
