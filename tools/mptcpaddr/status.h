/* SPDX-License-Identifier: MIT */
/*
 * status.h - what mptcpaddr status shows of this network namespace
 */
#pragma once

#include "doctor.h"
#include "tools/mptcpinfo/print/print.h"

/* Of a program's manager */
struct status_note {
	struct pm_note note;
	const char *program;
};

/* Connections of one program with one manager; or a program without any */
struct status_row {
	const struct connection *first; /* NULL: none */
	const struct manager *manager;	/* NULL: unknown, or the kernel's */
	unsigned int connections, paths, plain;
	char why[EXPLAIN_MAX];
};

#define HEALTH_MAX (NOTE_REASON_MAX + 40)

struct status_uplink {
	char dev[IFNAMSIZ];
	int if_idx; /* 0: no such interface */
	bool up;
	bool routed;		    /* it has a default route */
	bool spent;		    /* [policy] quota is used up */
	char addr[MPADDR_TEXT_MAX]; /* one of several, IPv4 if possible; "": none */
	unsigned int addrs, paths, backups;
	unsigned int pending, unanswered; /* joins and first paths */
	uint64_t sent, received;
	uint32_t rtt_us;	      /* the lowest; 0: unknown */
	char health[HEALTH_MAX];      /* as managers say, then completed */
	bool fails;		      /* up, but nothing answers */
	const struct pm_note *latest; /* about a path's success or failure */
};

#define UPLINKS_MAX	    16
#define STATUS_PROBLEMS_MAX 5
#define STATUS_PROBLEM_MAX  (NOTE_TEXT_MAX + PROGRAM_MAX + 32)

struct status_problem {
	int64_t time_ns;
	char text[STATUS_PROBLEM_MAX];
};

struct status_next {
	const char *advice; /* in front of the command; "": none */
	char command[MPADDR_TEXT_MAX + 32];
	const char *comment; /* "": none */
};

struct status {
	struct pool_files files;
	struct snapshot snap;
	struct status_note *notes; /* of all managers, in the order of their times */
	size_t n_notes;
	int error;	     /* errno: connections are missing */
	const char *backend; /* of programs that start now: find_backend() */
	bool broker;	     /* it answers */
	struct status_uplink uplinks[UPLINKS_MAX];
	unsigned int n_uplinks;
	struct status_row *rows;
	size_t n_rows;
	struct status_problem problems[STATUS_PROBLEMS_MAX]; /* newest first */
	unsigned int n_problems;
	struct status_next next;
};

/* status_is_problem() - whether @note is about something that went wrong */
bool status_is_problem(const struct pm_note *note);

/* status_read_uplinks() - each with its traffic and health */
void status_read_uplinks(struct status *status);

/* status_print_head() - who manages paths, and how many pools there are */
void status_print_head(const struct status *status, bool any_pool);
/* status_print_text() - the rest of the screen, after what check_machine() prints */
void status_print_text(const struct status *status);
/* status_print_json() - the document's rest, after its findings */
void status_print_json(const struct status *status);
