// SPDX-License-Identifier: MIT
/*
 * report.c - a run as a page of HTML: one file, without scripts
 *
 * The page is also XML, so that other programs can read it. Names, command lines and
 * texts of managers are anybody's: they reach the page by put_html() alone.
 */
#include "result.h"
#include "shim/common/str.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

/* In the units of the picture */
#define LEFT   76
#define TOP    12
#define WIDTH  860
#define HEIGHT 220
#define BOTTOM (TOP + HEIGHT)

#define COLOURS 8
#define SMALL	0.01 /* of all bytes: not worth a chart */

static const char head[] =
	"<meta charset=\"utf-8\"/>\n"
	"<meta http-equiv=\"Content-Security-Policy\" "
	"content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
	"<meta name=\"viewport\" content=\"width=device-width\"/>\n"
	"<style>\n"
	":root { color-scheme: light dark; --back: #fff; --ink: #1b1f24; --dim: #667;\n"
	"  --line: #d8dce2; --bad: #c2271b; --c0: #2b6cb0; --c1: #e08a00; --c2: "
	"#2a9d6f;\n"
	"  --c3: #b8559b; --c4: #45a5d6; --c5: #c8501e; --c6: #7a68c4; --c7: #8a8f98 }\n"
	"@media (prefers-color-scheme: dark) { :root { --back: #15181d; --ink: #e4e7eb;\n"
	"  --dim: #9aa3ad; --line: #353b44; --bad: #ff7a6b; --c0: #5a9fe0; --c1: "
	"#f0a93a;\n"
	"  --c2: #45c491; --c3: #dd86c2; --c4: #7cc7ee; --c5: #f08254; --c6: #a596ee;\n"
	"  --c7: #a5abb5 } }\n"
	"body { background: var(--back); color: var(--ink); margin: 2em auto;\n"
	"  max-width: 60em; padding: 0 1em; font: 15px/1.5 system-ui, sans-serif }\n"
	"h1 { font-size: 1.5em; margin: 0 } h2 { font-size: 1.1em; margin: 1.5em 0 .3em "
	"}\n"
	"p { margin: .3em 0 } code { overflow-wrap: anywhere } .dim, footer, th { color: "
	"var(--dim) }\n"
	"table { border-collapse: collapse; width: 100% } th { font-weight: normal }\n"
	"td, th { border-bottom: 1px solid var(--line); padding: .25em .6em; "
	"text-align:\n"
	"  left; vertical-align: top } .n { text-align: right; white-space: nowrap;\n"
	"  font-variant-numeric: tabular-nums } tfoot { font-weight: bold }\n"
	".bad { color: var(--bad) } svg { display: block; height: auto; width: 100% }\n"
	"svg text { fill: var(--dim); font-size: 13px } .grid { stroke: var(--line) }\n"
	".event { stroke: var(--dim); stroke-dasharray: 3 3 }\n"
	".event.bad { stroke: var(--bad); stroke-dasharray: none }\n"
	".key { display: inline-block; height: .8em; margin-right: .5em; width: .8em }\n"
	"footer { margin-top: 2em }\n";

static void put_html(const char *text, FILE *out)
{
	json_t *utf8 = json_string(text); /* NULL: it is not */

	for (; *text; text++) {
		unsigned char c = *text;

		if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '&')
			fputs("&amp;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c < ' ' || c == 0x7f || (c >= 0x80 && !utf8))
			fputc('?', out);
		else if (c == 0xef && text[1] == '\xbf' && (text[2] & 0x3f) >= 0x3e)
			fputc('?', out), text += 2; /* U+FFFE: no character in XML */
		else
			fputc(c, out);
	}
	json_decref(utf8);
}

/* 1, 2 or 5 times a power of ten: at most @n steps up to @top */
static double nice_step(double top, int n)
{
	double unit = 0.001;

	while (unit * 10 < top / n)
		unit *= 10;
	return unit * (top / n <= unit	     ? 1
		       : top / n <= 2 * unit ? 2
		       : top / n <= 5 * unit ? 5
					     : 10);
}

struct chart {
	const struct result *result;
	enum traffic_way way;
	size_t n;	/* slots */
	double seconds; /* of all slots */
	double top;	/* bytes per second */
	FILE *out;
};

static double chart_x(const struct chart *chart, double seconds)
{
	return LEFT + WIDTH * seconds / chart->seconds;
}

static double chart_y(const struct chart *chart, double rate)
{
	return BOTTOM - HEIGHT * rate / chart->top;
}

/* Of slot @i and the paths before @before, stacked */
static double chart_rate(const struct chart *chart, size_t i, size_t before)
{
	const struct traffic *t = &chart->result->traffic;
	double bytes = 0;

	for (size_t p = 0; p < before; p++)
		bytes += t->paths[p].slots[chart->way][i];
	return bytes / (t->slot_us / 1e6);
}

static double slot_seconds(const struct chart *chart, size_t i)
{
	return i * (chart->result->traffic.slot_us / 1e6);
}

/* A step for each slot: along its upper edge, and back along its lower one */
static void put_area(const struct chart *chart, size_t p)
{
	size_t i;

	fprintf(chart->out, "<path fill=\"var(--c%zu)\" d=\"M%d %d", p % COLOURS, LEFT,
		BOTTOM);
	for (i = 0; i < chart->n; i++)
		fprintf(chart->out, "V%.1fH%.1f",
			chart_y(chart, chart_rate(chart, i, p + 1)),
			chart_x(chart, slot_seconds(chart, i + 1)));
	while (i--)
		fprintf(chart->out, "V%.1fH%.1f", chart_y(chart, chart_rate(chart, i, p)),
			chart_x(chart, slot_seconds(chart, i)));
	fputs("Z\"/>\n", chart->out);
}

static void put_axes(const struct chart *chart)
{
	double step = nice_step(chart->top, 4), unit = chart->seconds > 180 ? 60 : 1;
	char text[RATE_MAX];

	for (double rate = 0; rate <= chart->top * 1.001; rate += step)
		fprintf(chart->out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" "
			"y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			LEFT, chart_y(chart, rate), LEFT + WIDTH, LEFT - 8,
			chart_y(chart, rate) + 4, rate_text(rate, text));
	step = nice_step(chart->seconds / unit, 8);
	for (double at = 0; at * unit <= chart->seconds; at += step)
		fprintf(chart->out,
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g %s</text>\n",
			chart_x(chart, at * unit), BOTTOM + 18, at,
			unit > 1 ? "min" : "s");
}

static double event_seconds(const struct chart *chart, const struct event *event)
{
	return (event->time_ns - chart->result->began_ns) / 1e9;
}

static bool is_bad(const struct event *event)
{
	switch (event->note.what) {
	case PM_NOTE_JOIN_FAILED:
	case PM_NOTE_ENDPOINT_DOWN:
	case PM_NOTE_OVERRUN:
	case PM_NOTE_UNANSWERED:
	case PM_NOTE_SILENT:
		return true;
	default:
		return event->note.error || event->note.what == PM_NOTE_REMOVED;
	}
}

static void put_events(const struct chart *chart)
{
	const struct event *event;
	char text[NOTE_TEXT_MAX];
	double at;

	for_each_in (event, chart->result, events) {
		at = event_seconds(chart, event);
		fprintf(chart->out, "<path class=\"event%s\" d=\"M%.1f %dV%d\"><title>",
			is_bad(event) ? " bad" : "",
			chart_x(chart, at < chart->seconds ? at : chart->seconds), TOP,
			BOTTOM);
		put_html(note_text(&event->note, text), chart->out);
		fputs("</title></path>\n", chart->out);
	}
}

static void put_chart(const struct result *result, enum traffic_way way, FILE *out)
{
	const struct traffic *t = &result->traffic;
	struct chart chart = { .result = result, .way = way, .out = out };
	double all = traffic_sum(t, TRAFFIC_RECEIVED) + traffic_sum(t, TRAFFIC_SENT);
	double step;
	const char *title = way == TRAFFIC_RECEIVED ? "Received" : "Sent";

	chart.n = (t->seen_us - t->began_us + t->slot_us - 1) / t->slot_us;
	chart.seconds = slot_seconds(&chart, chart.n);
	for (size_t i = 0; i < chart.n; i++)
		if (chart.top < chart_rate(&chart, i, t->n_paths))
			chart.top = chart_rate(&chart, i, t->n_paths);
	if (traffic_sum(t, way) <= all * SMALL || chart.top <= 0)
		return;
	step = nice_step(chart.top, 4);
	chart.top = step * (uint64_t)(chart.top / step + 0.999);
	fprintf(out,
		"<h2>%s</h2>\n<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
		"viewBox=\"0 0 %d %d\"><title>%s, bytes per second by path</title>\n",
		title, LEFT + WIDTH + 24, BOTTOM + 26, title);
	put_axes(&chart);
	for (size_t p = 0; p < t->n_paths; p++)
		put_area(&chart, p);
	put_events(&chart);
	fputs("</svg>\n", out);
}

static void put_row(const uint64_t bytes[2], uint64_t all, double seconds, FILE *out)
{
	char rate[RATE_MAX];

	fprintf(out,
		"</td><td class=\"n\">%" PRIu64 "</td><td class=\"n\">%" PRIu64
		"</td><td class=\"n\">%d %%</td><td class=\"n\">%s</td></tr>\n",
		bytes[TRAFFIC_RECEIVED], bytes[TRAFFIC_SENT],
		percent_of(bytes[TRAFFIC_RECEIVED] + bytes[TRAFFIC_SENT], all),
		rate_text((bytes[TRAFFIC_RECEIVED] + bytes[TRAFFIC_SENT]) / seconds,
			  rate));
}

static void put_paths(const struct result *result, FILE *out)
{
	const struct traffic *t = &result->traffic;
	const uint64_t sums[2] = { traffic_sum(t, TRAFFIC_RECEIVED),
				   traffic_sum(t, TRAFFIC_SENT) };
	const uint64_t all = sums[0] + sums[1];
	double seconds = result_seconds(result);
	char text[TRAFFIC_TEXT_MAX];

	fputs("<h2>Paths</h2>\n<table><thead><tr><th>path</th><th class=\"n\">bytes "
	      "received</th><th class=\"n\">bytes sent</th><th class=\"n\">share</th>"
	      "<th class=\"n\">mean rate</th></tr></thead>\n<tbody>\n",
	      out);
	for (size_t p = 0; p < t->n_paths; p++) {
		fprintf(out,
			"<tr><td><span class=\"key\" style=\"background: "
			"var(--c%zu)\"></span>",
			p % COLOURS);
		put_html(traffic_text(&t->paths[p], text), out);
		put_row(t->paths[p].bytes, all, seconds, out);
	}
	fputs("</tbody><tfoot><tr><td>total", out);
	put_row(sums, all, seconds, out);
	fputs("</tfoot></table>\n", out);
}

static void put_list(const struct result *result, FILE *out)
{
	const struct event *event;
	char text[NOTE_TEXT_MAX], token[12];
	const struct why *why;

	if (result->n_whys)
		fputs("<h2>Missing paths</h2>\n", out);
	for_each_in (why, result, whys) {
		fputs("<p>", out);
		put_html(why->text, out);
		fputs("</p>\n", out);
	}
	if (!result->n_events)
		return;
	fputs("<h2>Events</h2>\n<table><tbody>\n", out);
	for_each_in (event, result, events) {
		token[0] = '\0';
		if (event->note.token)
			snprintf(token, sizeof(token), "%08x", event->note.token);
		fprintf(out,
			"<tr%s><td class=\"n\">%.3f s</td><td><code>%s</code></td><td>",
			is_bad(event) ? " class=\"bad\"" : "",
			(event->time_ns - result->began_ns) / 1e9, token);
		put_html(note_text(&event->note, text), out);
		fputs("</td></tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
	if (result->more_events)
		fprintf(out, "<p class=\"dim\">%zu more event%s</p>\n",
			result->more_events, PLURAL(result->more_events));
}

static void put_head(const struct result *result, FILE *out)
{
	size_t n = result->snap->n_connections, paths = result->traffic.n_paths;
	char program[PROGRAM_MAX];

	fprintf(out,
		"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
		"lang=\"en\">\n<head>\n%s</style>\n<title>",
		head);
	put_html(result_program(result, program), out);
	fputs(": MPTCP paths</title>\n</head>\n<body>\n<h1>", out);
	put_html(program, out);
	fprintf(out,
		"</h1>\n<p>%zu MPTCP connection%s, %zu path%s, %.2f s</p>\n<p><code>", n,
		PLURAL(n), paths, PLURAL(paths), result_seconds(result));
	for (char **arg = result->argv; *arg; arg++) {
		put_html(*arg, out);
		fputs(arg[1] ? " " : "</code></p>\n", out);
	}
}

void report_write(const struct result *result, FILE *out)
{
	time_t began = result->began_ns / 1000000000;
	char day[48];
	struct tm tm;

	put_head(result, out);
	put_chart(result, TRAFFIC_RECEIVED, out);
	put_chart(result, TRAFFIC_SENT, out);
	if (result->traffic.n_paths)
		put_paths(result, out);
	put_list(result, out);
	strftime(day, sizeof(day), "%F %T %z", localtime_r(&began, &tm));
	fprintf(out,
		"<footer>mptcpinfo run, started %s. Payload as the kernel counts it, "
		"retransmissions included.</footer>\n</body>\n</html>\n",
		day);
}
