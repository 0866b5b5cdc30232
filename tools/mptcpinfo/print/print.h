/* SPDX-License-Identifier: MIT */
/*
 * print.h - write snapshots, events and single values
 */
#pragma once

#include "tools/mptcpinfo/collect/collect.h"

#include <stdio.h>

/* The parsed command line */
struct options {
	struct filter filter;
	bool json, prometheus; /* else a table */
	bool counters;	       /* of the path managers, instead of the connections */
	bool wide;	       /* more columns in the table */
	bool watch;
	bool events;
	const char *report;	  /* the file for the page of `run` */
	unsigned int interval_ms; /* between two snapshots */
	bool colour; /* standard output is a terminal, and NO_COLOR is not set */
};

enum paint {
	PAINT_PLAIN,
	PAINT_HEAD,  /* titles */
	PAINT_LABEL, /* names of columns and rows */
	PAINT_GOOD,
	PAINT_WARN,
	PAINT_BAD,
	PAINT_OFF, /* after each of them */
};

/* What to write to a terminal; "" without colour. */
extern const char *const paint_codes[2][PAINT_OFF + 1];

#define ADDR_TEXT_MAX (MPADDR_TEXT_MAX + 16)

/* 10.0.1.2:4444, [2001:db8::1]:4444 or [fe80::1%eth0]:4444. Return: @out. */
const char *end_text(const struct mpaddr *addr, uint32_t ifindex,
		     char out[static ADDR_TEXT_MAX]);
#define local_text(path, out)  end_text(&(path)->local, (path)->ifindex, out)
#define remote_text(path, out) end_text(&(path)->remote, (path)->ifindex, out)
/* The address alone: 10.0.1.2 or 2001:db8::1. Return: @out. */
const char *ip_text(const struct mpaddr *addr, char out[static MPADDR_TEXT_MAX]);

/* As in the filters of ss: "established", "syn-sent", ... */
const char *tcp_state_text(uint8_t state);

/* Three digits, cut, and a unit: "0", "999", "1.23k", "300k", "45.6M". */
#define SCALED_MAX 8
const char *scaled_text(uint64_t value, char out[static SCALED_MAX]);
/* Likewise for times: "40us", "12.3ms", "1.50s". */
#define RTT_MAX 12
const char *rtt_text(uint32_t us, char out[static RTT_MAX]);

/* "9.8 MB/s", of bytes a second: up to nine characters; "-" for NAN. Return: @out. */
#define RATE_MAX 24
const char *rate_text(double rate, char out[static RATE_MAX]);

/* Rounded; 0 of 0. */
static inline int percent_of(double part, double all)
{
	return all > 0 ? (int)(part / all * 100 + 0.5) : 0;
}

/*
 * token_parse() - 9c2f0012, as ss and `ip mptcp monitor` print it, 0x9c2f0012, or
 * decimal, as in JSON
 *
 * Digits alone may be either. Return: 0, -EINVAL.
 */
int token_parse(const char *text, uint32_t ret[static 2]);

/* The word for the connection's manager in all formats; "" if it is unknown. */
const char *manager_text(const struct snapshot *snap, const struct connection *conn);

/* A state in JSON and tables, and its colour */
struct word {
	const char *text;
	enum paint paint;
};

enum endpoint_state {
	ENDPOINT_OTHER, /* not for this connection */
	ENDPOINT_FREE,
	ENDPOINT_PENDING,
	ENDPOINT_USED,
	ENDPOINT_SILENT,   /* used, by a subflow that carries no data */
	ENDPOINT_NO_LINK,  /* used, but its link is down */
	ENDPOINT_NO_ROUTE, /* to the peer; perhaps used */
	ENDPOINT_NO_QUOTA, /* [policy] quota used up */
	ENDPOINT_HELD,	   /* it came and went often */
	ENDPOINT_UNAVAILABLE,
};

extern const struct word endpoint_words[];
/* Of endpoint @i of the connection's manager */
enum endpoint_state endpoint_state(const struct connection *conn,
				   const struct manager *manager, size_t i);
struct word announced_word(const struct pm_announced_report *record);

/* A number in struct ctl_manager or struct subflow, for JSON, Prometheus and tables. */
struct field {
	const char *key; /* in JSON and tables; NULL: the end */
	size_t offset, size;
	const char *metric, *help; /* for Prometheus; NULL: not shown there */
};

/* Those of subflows are known with has_tcp, but the bool with has_flags. */
extern const struct field manager_fields[], subflow_fields[];

uint64_t field_value(const struct field *field, const void *record);

#define ISO_MAX 48

/* iso_text() - ISO 8601, UTC, in microseconds. Return: @out. */
const char *iso_text(int64_t time_ns, char out[static ISO_MAX]);

#define EXPLAIN_MAX 640

/*
 * explain_connection() - why @conn has fewer subflows than its pool allows
 *
 * Return: whether there is a reason; then @out is one line without its end.
 */
bool explain_connection(const struct snapshot *snap, const struct connection *conn,
			char out[static EXPLAIN_MAX]);
/* Why the address is not joined; "" if it is. */
const char *announced_reason(const struct pm_announced_report *record,
			     char out[static NOTE_REASON_MAX]);

/* Something that happened in or to a manager */
enum event_kind {
	EVENT_NOTE,
	EVENT_MISSED, /* `missed` notes were overwritten before they were read */
	EVENT_FOUND,  /* a manager, followed from here on */
	EVENT_ENDED,
	EVENT_FAILED, /* the manager cannot be followed: `why` */
};

struct event {
	enum event_kind kind;
	char name[80]; /* of the control socket */
	pid_t pid;     /* 0: unknown */
	char program[PROGRAM_MAX];
	int64_t time_ns; /* CLOCK_REALTIME */
	struct pm_note note;
	uint64_t missed;
	char why[128];
};

/* One JSON object and a newline; mptcpinfo(8) describes the keys. */
void write_event_json(const struct event *event, FILE *out);

/* @wide: with congestion window, retransmissions, delivery rate and share */
void write_table(const struct snapshot *snap, bool wide, bool colour, FILE *out);
/* The path managers' counters: of each connection, program and the namespace */
void write_counters(const struct snapshot *snap, bool colour, FILE *out);
/* @one_line: no newline except the last, so that documents can follow each other. */
void write_json(const struct snapshot *snap, bool counters, bool one_line, FILE *out);
void write_prometheus(const struct snapshot *snap, FILE *out);
/* Whichever @o asks for; @one_line as above. Return: 0 or -errno. */
int write_view(const struct options *o, const struct snapshot *snap, bool one_line,
	       FILE *out);

/*
 * stdout_write() - all of @text, unbuffered
 *
 * Return: 0; -EPIPE if the reader has gone, -EINTR if a signal to end arrived while the
 * reader was slow, or another -errno.
 */
int stdout_write(const char *text, size_t len);
/* The exit status after an error @r, which is reported unless the reader has gone. */
int stdout_status(int r);

/* Text in memory that goes to standard output in one write. */
struct page {
	char *text;
	size_t size;
	FILE *out;
};

void page_open(struct page *page);
/* Also frees @page. Return: as stdout_write(). */
int page_write(struct page *page);
