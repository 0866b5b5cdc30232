// SPDX-License-Identifier: MIT
/*
 * finding.c - how the commands print what they found
 */
#include "command.h"
#include "shim/common/str.h"
#include "tools/common/broker_command.h"

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

/* Names of programs and files may be any bytes; JSON takes UTF-8 only. */
static bool is_utf8(const char *text)
{
	const unsigned char *c = (const void *)text;
	unsigned int more = 0;

	for (; *c; c++) {
		if (more ? (*c & 0xc0) != 0x80 : *c >= 0x80 && (*c < 0xc2 || *c > 0xf4))
			return false;
		/* No overlong forms, surrogates or numbers beyond U+10FFFF */
		if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
		    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
			return false;
		if (more)
			more--;
		else
			more = (*c >= 0xc2) + (*c >= 0xe0) + (*c >= 0xf0);
	}
	return !more;
}

void print_json_text(const char *name, const char *text)
{
	const bool utf8 = is_utf8(text);

	printf("\"%s\":\"", name);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			printf("\\u%04x", *text);
		else if (!utf8 && (unsigned char)*text >= 0x80)
			putchar('?');
		else
			putchar(*text);
	}
	putchar('"');
}

/* {"level":"ok","part":"client","text":"..." */
static void begin_json(struct findings *findings, const char *level, const char *text)
{
	fputs(findings->n++ ? ",{" : "{", stdout);
	print_json_text("level", level);
	putchar(',');
	print_json_text("part", findings->part ?: "machine");
	putchar(',');
	print_json_text("text", text);
}

/* {"do":"ADVICE"}, {"type":"COMMAND"}; "root": it takes root's rights. */
static void put_json_remedy(const char *line, bool first)
{
	const bool advice = !strncmp(line, ADVICE, strlen(ADVICE));
	const bool root = !strncmp(line, ROOT, strlen(ROOT));
	const char *words = strstr(line, ": ");

	fputs(first ? "{" : ",{", stdout);
	print_json_text(advice ? "do" : "type", words ? words + 2 : line);
	printf("%s}", root ? ",\"root\":true" : "");
}

static void report_json(struct findings *findings, const char *text, char *remedies)
{
	bool first = true;
	char *line;

	begin_json(findings, "problem", text);
	fputs(",\"remedies\":[", stdout);
	for (; (line = strsep(&remedies, "\n")); first = false)
		put_json_remedy(line, first);
	fputs("]}", stdout);
}

void report_part(struct findings *findings, const char *part, const char *title)
{
	findings->part = part;
	findings->title = title;
}

static void print_title(struct findings *findings)
{
	if (findings->title && !findings->json)
		printf("%s\n", findings->title);
	findings->title = NULL;
}

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
	if (findings->json)
		return report_json(findings, line, rest);
	print_title(findings);
	fprintf(out, "%s%s", prefixes[findings->by].problem, line);
	while (findings->by != FOUND_BY_CHECK && (line = strsep(&rest, "\n"))) {
		print_remedy(out, line, warning);
		if (findings->brief)
			break;
	}
	putc('\n', out);
}

static void print_line(FILE *out, const char *prefix, const char *fmt, va_list ap)
{
	char text[4 * PATH_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	str_clean(text, strlen(text));
	fprintf(out, "%s%s\n", prefix, text);
}

void report_ok(struct findings *findings, const char *fmt, ...)
{
	char text[4 * PATH_MAX];
	va_list ap;

	if (!findings->verbose && !findings->json)
		return;
	va_start(ap, fmt);
	if (findings->json) {
		vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		str_clean(text, strlen(text));
		begin_json(findings, "ok", text);
		putchar('}');
		return;
	}
	print_title(findings);
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
