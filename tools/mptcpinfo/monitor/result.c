// SPDX-License-Identifier: MIT
/*
 * result.c - a run in a few lines: totals, the share of each path, what is missing and
 * why
 */
#include "result.h"
#include "shim/common/clock.h"
#include "shim/common/str.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define WHYS_MAX 8

void result_begin(struct result *result, char **argv, struct snapshot *snap)
{
	result->argv = argv;
	result->snap = snap;
	traffic_begin(&result->traffic);
	result->began_ns = clock_real_ns();
}

void result_add_event(struct result *result, const struct event *event)
{
	/* Managers remember what was before the run, too. */
	if (!result->keeps_events || event->kind != EVENT_NOTE ||
	    event->time_ns < result->began_ns)
		return;
	if (result->n_events < RESULT_EVENTS_MAX)
		*(struct event *)array_add(result, events) = *event;
	else
		result->more_events++;
}

/* The broker's events are those of all programs of this name. */
static bool event_is_ours(const struct result *result, const struct event *event)
{
	const struct connection *conn;

	if (event->pid)
		return true;
	for_each_in (conn, result->snap, connections) {
		if (event->note.token ? conn->token == event->note.token
				      : !strcmp(conn->program, event->program))
			return true;
	}
	return false;
}

static int compare_event_times(const void *pa, const void *pb)
{
	const struct event *a = pa, *b = pb;

	return (a->time_ns > b->time_ns) - (a->time_ns < b->time_ns);
}

static void add_why(struct result *result, const char *text)
{
	struct why *why;

	for_each_in (why, result, whys) {
		if (strcmp(why->text, text) == 0)
			break;
	}
	if (why == result->whys + result->n_whys) {
		if (result->n_whys == WHYS_MAX)
			return;
		why = array_add(result, whys);
		strcpy(why->text, text);
	}
	why->connections++;
}

/* The kernel's counters are the differences of the run. */
static bool has_opened_any(const struct snapshot *snap)
{
	const struct counter *counter;

	for_each_in (counter, snap, counters)
		if (strcmp(counter->name, "MPCapableSYNTX") == 0)
			return counter->value;
	return snap->n_connections;
}

void result_end(struct result *result)
{
	const struct snapshot *snap = result->snap;
	const struct connection *conn;
	struct connection open;
	const struct event *event;
	char text[EXPLAIN_MAX];
	size_t kept = 0;

	for_each_in (conn, snap, connections) {
		open = *conn;
		open.state = TCP_ESTABLISHED; /* as it was when its manager reported */
		if (explain_connection(snap, &open, text))
			add_why(result, text);
	}
	if (!has_opened_any(snap))
		add_why(result, "no MPTCP connection was opened: use \"mptcpaddr run\", "
				"or type \"mptcpaddr doctor\"");
	for_each_in (event, result, events)
		if (event_is_ours(result, event))
			result->events[kept++] = *event;
	result->n_events = kept;
	if (kept)
		qsort(result->events, kept, sizeof(*event), compare_event_times);
}

void result_free(struct result *result)
{
	free(result->traffic.paths);
	free(result->events);
	free(result->whys);
}

double result_seconds(const struct result *result)
{
	return (result->ended_us - result->traffic.began_us) / 1e6;
}

const char *result_program(const struct result *result, char out[static PROGRAM_MAX])
{
	const char *name = str_base(result->argv[0]);
	const struct connection *conn, *first = result->snap->connections;

	for_each_in (conn, result->snap, connections)
		if (strcmp(conn->program, first->program) != 0)
			break;
	if (first && conn == first + result->snap->n_connections && first->program[0])
		name = first->program;
	snprintf(out, PROGRAM_MAX, "%s", name);
	text_clean(out, PROGRAM_MAX);
	return out;
}

static void write_path(const struct traffic_path *path, double seconds, uint64_t all,
		       FILE *out)
{
	char ends[TRAFFIC_TEXT_MAX], received[SCALED_MAX], sent[SCALED_MAX];
	uint64_t bytes = path->bytes[TRAFFIC_RECEIVED] + path->bytes[TRAFFIC_SENT];
	char rate[RATE_MAX];

	fprintf(out, "  %4d%%  %5s  %5s  %9s  %s\n", percent_of(bytes, all),
		scaled_text(path->bytes[TRAFFIC_RECEIVED], received),
		scaled_text(path->bytes[TRAFFIC_SENT], sent),
		rate_text(bytes / seconds, rate), traffic_text(path, ends));
}

void result_write(const struct result *result, bool colour, FILE *out)
{
	const char *const *paint = paint_codes[colour];
	uint64_t received = traffic_sum(&result->traffic, TRAFFIC_RECEIVED);
	uint64_t sent = traffic_sum(&result->traffic, TRAFFIC_SENT);
	size_t n = result->snap->n_connections;
	char program[PROGRAM_MAX], in[SCALED_MAX], away[SCALED_MAX];
	const struct traffic_path *path;
	const struct why *why;

	fprintf(out, "%s%s%s: %zu MPTCP connection%s", paint[PAINT_HEAD],
		result_program(result, program), paint[PAINT_OFF], n, PLURAL(n));
	if (n)
		fprintf(out, ", %s received, %s sent", scaled_text(received, in),
			scaled_text(sent, away));
	fprintf(out, ", in %.2f s\n", result_seconds(result));
	if (result->traffic.n_paths)
		fprintf(out, "%s  SHARE  RECVD   SENT       MEAN  PATH%s\n",
			paint[PAINT_LABEL], paint[PAINT_OFF]);
	for_each_in (path, &result->traffic, paths)
		write_path(path, result_seconds(result), received + sent, out);
	for_each_in (why, result, whys) {
		fprintf(out, "  %swhy%s    %s%s%s", paint[PAINT_LABEL], paint[PAINT_OFF],
			paint[PAINT_WARN], why->text, paint[PAINT_OFF]);
		if (why->connections > 1)
			fprintf(out, " (%zu connections)", why->connections);
		fputc('\n', out);
	}
}
