// SPDX-License-Identifier: MIT
/*
 * finding.c - how the commands print what they found
 */
#include "command.h"
#include "shim/common/str.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ADVICE "do: "
#define ROOT   "root: "

static const struct {
	const char *problem, *ok;
} prefixes[] = {
	[FOUND_BY_DOCTOR] = { "problem: ", "ok: " },
	[FOUND_BY_RUN] = { "mptcpaddr: warning: ", "mptcpaddr: " },
	[FOUND_BY_CHECK] = { "", "" },
};

/* "    type: sudo ..."; in a warning "; type: ..." or "; ADVICE". */
static void print_remedy(FILE *out, const char *line, bool warning)
{
	fputs(warning ? "; " : "\n    ", out);
	if (!strncmp(line, ROOT, strlen(ROOT)))
		fprintf(out, "type: %s%s", AS_ROOT, line + strlen(ROOT));
	else
		fputs(line + (warning && !strncmp(line, ADVICE, strlen(ADVICE))
				      ? strlen(ADVICE)
				      : 0),
		      out);
}

void report_problem(struct findings *findings, const char *fmt, ...)
{
	const bool warning = findings->by == FOUND_BY_RUN;
	FILE *out = warning ? stderr : stdout;
	static char text[4 * PATH_MAX];
	char *rest = text, *line;
	va_list ap;

	findings->problems++;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line = strsep(&rest, "\n");
	str_clean(line, strlen(line));
	fprintf(out, "%s%s", prefixes[findings->by].problem, line);
	while (findings->by != FOUND_BY_CHECK && (line = strsep(&rest, "\n")))
		print_remedy(out, line, warning);
	putc('\n', out);
}

static void print_line(FILE *out, const char *prefix, const char *fmt, va_list ap)
{
	char text[4 * PATH_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	str_clean(text, strlen(text));
	fprintf(out, "%s%s\n", prefix, text);
}

void report_ok(const struct findings *findings, const char *fmt, ...)
{
	va_list ap;

	if (!findings->verbose)
		return;
	va_start(ap, fmt);
	print_line(findings->by == FOUND_BY_RUN ? stderr : stdout,
		   prefixes[findings->by].ok, fmt, ap);
	va_end(ap);
}

int print_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(stderr, "mptcpaddr: ", fmt, ap);
	va_end(ap);
	return 1;
}
