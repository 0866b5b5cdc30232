// SPDX-License-Identifier: MIT
/*
 * slips.c - what is allowed in a configuration file, but is rarely meant
 *
 * A key that repeats (the last one applies), a section without keys. Only for mptcpaddr
 * check: programs read such files without complaint.
 */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX     64 /* of one file that are remembered */
#define NAME_MAX_LEN 200

struct slips {
	struct findings *findings;
	const char *path;
	char section[NAME_MAX_LEN];
	unsigned int section_line; /* 0: it has keys */
	struct {
		char name[NAME_MAX_LEN], section[NAME_MAX_LEN];
		unsigned int line;
	} keys[KEYS_MAX];
	unsigned int n;
};

/* Keys whose values add up */
static bool is_list(const char *name)
{
	static const char *const lists[] = { "endpoint", "allow", "deny",   "exclude",
					     "tolerate", "users", "groups", "addresses",
					     "devices",	 NULL };
	const char *const *list = lists;

	while (*list && strcmp(*list, name) != 0)
		list++;
	return *list;
}

static void report_empty(struct slips *slips)
{
	if (slips->section_line)
		report_ok(slips->findings, "%s:%u: [%s] is empty", slips->path,
			  slips->section_line, slips->section);
	slips->section_line = 0;
}

static void note_key(struct slips *slips, const char *name, unsigned int line)
{
	unsigned int i;

	slips->section_line = 0;
	if (is_list(name))
		return;
	for (i = 0; i < slips->n; i++) {
		if (strcmp(slips->keys[i].name, name) != 0 ||
		    strcmp(slips->keys[i].section, slips->section) != 0)
			continue;
		report_ok(slips->findings, "%s:%u: \"%s\" again, which replaces line %u",
			  slips->path, line, name, slips->keys[i].line);
		slips->keys[i].line = line;
		return;
	}
	if (slips->n == KEYS_MAX)
		return;
	strcpy(slips->keys[slips->n].name, name);
	strcpy(slips->keys[slips->n].section, slips->section);
	slips->keys[slips->n++].line = line;
}

void check_slips(struct findings *findings, const char *path)
{
	struct slips *slips = calloc(1, sizeof(*slips));
	char text[512], name[NAME_MAX_LEN];
	FILE *file = slips ? fopen(path, "re") : NULL;
	unsigned int line = 0;

	if (slips)
		*slips = (struct slips){ .findings = findings, .path = path };
	while (file && fgets(text, sizeof(text), file)) {
		line++;
		if (sscanf(text, " [%199[^]\n]", name) == 1) {
			report_empty(slips);
			strcpy(slips->section, name);
			slips->section_line = line;
		} else if (sscanf(text, " #%1[a-z]", name) == 1 && strchr(text, '=')) {
			slips->section_line =
				0; /* a key to be enabled, as in the samples */
		} else if (sscanf(text, " %199[^#;= \t\n]", name) == 1) {
			note_key(slips, name, line);
		}
	}
	if (file) {
		report_empty(slips);
		fclose(file);
	}
	free(slips);
}
