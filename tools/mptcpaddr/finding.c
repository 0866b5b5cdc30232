// SPDX-License-Identifier: MIT
/*
 * finding.c - how the commands print what they found
 *
 * doctor prints a problem and each remedy on lines of their own, on stdout; run prints
 * both as one warning, on stderr.
 */
#include "finding.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ADVICE "do: "
#define ROOT   "root: "

static void print_prefixed(FILE *out, const char *prefix, const char *fmt, va_list ap)
{
	fputs(prefix, out);
	vfprintf(out, fmt, ap);
	putc('\n', out);
}

const char *remedy_text(const char *fmt, ...)
{
	static char text[2 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return text;
}

/* A line of remedies: "    type: sudo ..."; in a warning "; type: ..." or "; ADVICE". */
static void print_remedy(const struct findings *findings, const char *line, int len,
			 FILE *out)
{
	const char *kind = "";

	fputs(findings->warnings ? "; " : "\n    ", out);
	if (!strncmp(line, ROOT, strlen(ROOT))) {
		kind = geteuid() ? "type: sudo " : "type: ";
		line += strlen(ROOT);
		len -= strlen(ROOT);
	} else if (findings->warnings && !strncmp(line, ADVICE, strlen(ADVICE))) {
		line += strlen(ADVICE);
		len -= strlen(ADVICE);
	}
	fprintf(out, "%s%.*s", kind, len, line);
}

void report_problem(struct findings *findings, const char *remedies, const char *fmt, ...)
{
	FILE *out = findings->warnings ? stderr : stdout;
	va_list ap;
	int len;

	findings->problems++;
	fputs(findings->warnings ? "mptcpaddr: warning: " : "problem: ", out);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	for (; *remedies; remedies += len + !!remedies[len]) {
		len = strcspn(remedies, "\n");
		print_remedy(findings, remedies, len, out);
	}
	putc('\n', out);
}

void report_ok(const struct findings *findings, const char *fmt, ...)
{
	va_list ap;

	if (!findings->verbose)
		return;
	va_start(ap, fmt);
	if (findings->warnings)
		print_prefixed(stderr, "mptcpaddr: ", fmt, ap);
	else
		print_prefixed(stdout, "ok: ", fmt, ap);
	va_end(ap);
}

int print_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_prefixed(stderr, "mptcpaddr: ", fmt, ap);
	va_end(ap);
	return 1;
}
