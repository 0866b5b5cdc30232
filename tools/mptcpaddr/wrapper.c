// SPDX-License-Identifier: MIT
/*
 * wrapper.c - which program a shell script executes in its place
 *
 * Reads no more of the language than most wrappers use: assignments, and "exec" with
 * quotes and variables.
 */
#include "program.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES_MAX 64
#define LINES_MAX     2000
#define UNKNOWN	      '\1' /* in place of what only the shell knows */

struct wrapper {
	const char *path;
	unsigned int n;
	char *names[VARIABLES_MAX], *values[VARIABLES_MAX];
};

static size_t name_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

static const char *variable_value(const struct wrapper *w, const char *name, size_t len)
{
	static const char unknown[] = { UNKNOWN, '\0' };
	char key[64];
	unsigned int i;

	if (len == 1 && *name == '0')
		return w->path;
	for (i = w->n; i-- > 0;)
		if (strlen(w->names[i]) == len && !memcmp(w->names[i], name, len))
			return w->values[i];
	snprintf(key, sizeof(key), "%.*s", (int)len, name);
	return getenv(key) ?: unknown;
}

/* Skip "$(...)", "${NAME...}" with more than a name, or `...`. */
static const char *skip_unknown(const char *at)
{
	const char open = *at == '`' ? '`' : at[1], close = open == '(' ? ')' : '}';
	int depth = 0;

	if (open == '`') {
		at = strchr(at + 1, '`');
		return at ? at + 1 : "";
	}
	for (at++; *at; at++) {
		depth += (*at == open) - (*at == close);
		if (!depth)
			return at + 1;
	}
	return at;
}

/* The value of the expansion at *@at. */
static const char *expand_variable(const struct wrapper *w, const char **at)
{
	const bool braces = **at == '$' && (*at)[1] == '{';
	const char *name = *at + 1 + braces;
	const size_t len = **at == '$' ? name_length(name) : 0;

	if (len && (!braces || name[len] == '}')) {
		*at = name + len + braces;
		return variable_value(w, name, len);
	}
	if (**at == '`' || name[-1] == '{' || *name == '(')
		*at = skip_unknown(*at);
	else
		*at += 1;
	return variable_value(w, "", 0);
}

/* One word, with quotes and variables. Return: behind it. */
static const char *read_word(const struct wrapper *w, const char *at, char ret[PATH_MAX])
{
	char quote = '\0';
	size_t len = 0;

	while (*at && (quote || !strchr(" \t\n;&|<>", *at)) && len < PATH_MAX - 1) {
		if (*at == quote || (!quote && (*at == '"' || *at == '\''))) {
			quote = quote ? '\0' : *at;
			at++;
		} else if (quote != '\'' && (*at == '$' || *at == '`')) {
			len += snprintf(ret + len, PATH_MAX - len, "%s",
					expand_variable(w, &at));
		} else {
			at += quote != '\'' && *at == '\\' && at[1];
			ret[len++] = *at++;
		}
	}
	ret[len < PATH_MAX ? len : PATH_MAX - 1] = '\0';
	return at + strspn(at, " \t");
}

static void keep_variable(struct wrapper *w, const char *line)
{
	const size_t len = name_length(line);
	char value[PATH_MAX];

	if (!len || line[len] != '=' || w->n == VARIABLES_MAX)
		return;
	read_word(w, line + len + 1, value);
	w->names[w->n] = strndup(line, len);
	w->values[w->n] = strdup(value);
	w->n += w->names[w->n] && w->values[w->n];
}

/* exec [-a NAME] [env] [NAME=VALUE ...] PROGRAM */
static bool read_exec(const struct wrapper *w, const char *at, char ret_file[PATH_MAX],
		      char ret_name[PATH_MAX])
{
	char name[PATH_MAX] = "", word[PATH_MAX] = "";

	do {
		at = read_word(w, at, word);
		if (!strcmp(word, "-a"))
			at = read_word(w, at, name);
	} while (*word == '-' || !strcmp(word, "env") || strchr(word, '='));
	if (!*name)
		memcpy(name, word, sizeof(name));
	if (strspn(word, "0123456789") == strlen(word)) /* of "exec 3>&1" */
		return false;
	if (!*basename(word) || strchr(basename(word), UNKNOWN) ||
	    strchr(basename(name), UNKNOWN))
		return false;
	snprintf(ret_name, PATH_MAX, "%s", basename(name));
	memcpy(ret_file, word, sizeof(word));
	return true;
}

/* "$(dirname "$0")/PROGRAM" is next to the script. */
static void replace_directory(const char *script, char file[PATH_MAX])
{
	char real[PATH_MAX], *base = basename(file);

	if (!strchr(file, UNKNOWN) || !realpath(script, real))
		return;
	base = strdup(base);
	snprintf(file, PATH_MAX, "%.*s%s", (int)(basename(real) - real), real,
		 base ?: "");
	free(base);
}

bool wrapper_read(const char *script, char ret_file[PATH_MAX], char ret_name[PATH_MAX])
{
	struct wrapper w = { .path = script };
	FILE *f = fopen(script, "re");
	char line[1024], *start;
	bool found = false;
	int i;

	for (i = 0; f && i < LINES_MAX && fgets(line, sizeof(line), f); i++) {
		start = line + strspn(line, " \t");
		if (!strncmp(start, "export ", 7))
			start += 7;
		if (!strncmp(start, "exec ", 5))
			found |= read_exec(&w, start + 5, ret_file, ret_name);
		else
			keep_variable(&w, start);
	}
	if (f)
		fclose(f);
	while (w.n--) {
		free(w.names[w.n]);
		free(w.values[w.n]);
	}
	if (found)
		replace_directory(script, ret_file);
	return found;
}
