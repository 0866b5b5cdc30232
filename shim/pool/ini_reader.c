// SPDX-License-Identifier: MIT
/*
 * ini_reader.c - read an ini file by a table of its keys
 *
 * inih splits one line at a time into name and value. Sections, line numbers and limits
 * are handled here: inih would cut long sections, and join or cut lines silently.
 */
#include "ini_reader.h"
#include "endpoint.h"
#include "mptcpaddr/log.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX	10000 /* of one file */
#define FILE_MAX	(4 << 20)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define NOT_SPLIT	"neither \"name = value\" nor \"[section]\""

int ini_fail(struct ini *ini, const char *fmt, ...)
{
	const size_t size = sizeof(ini->why->text);
	va_list ap;
	int n;

	if (ini->error)
		return ini->error;
	n = ini->line ? snprintf(ini->why->text, size, "%s:%u: ", ini->path, ini->line)
		      : snprintf(ini->why->text, size, "%s: ", ini->path);
	va_start(ap, fmt);
	if (n > 0 && (size_t)n < size)
		vsnprintf(ini->why->text + n, size - n, fmt, ap);
	va_end(ap);
	if (ini->report)
		ini->report(ini->user, ini->why->text);
	ini->errors++;
	return ini->error = -EINVAL;
}

static bool in_section(const struct ini_key *key, const char *section)
{
	size_t len = strlen(key->section);

	return key->section[len - 1] == '"' ? !strncmp(section, key->section, len)
					    : !strcmp(section, key->section);
}

static int set_value(struct ini *ini, const struct ini_key *key, const char *value)
{
	char copy[INI_LINE_MAX + 1], *word, *save;
	int r = 0;

	snprintf(copy, sizeof(copy), "%s", value);
	if (key->form == INI_VALUE)
		return key->set(ini, key, copy);
	word = strtok_r(copy, " \t,", &save);
	if (!word && key->form == INI_SOME_WORDS)
		return ini_fail(ini, "%s is empty", key->name);
	for (; word && r == 0; word = strtok_r(NULL, " \t,", &save))
		r = key->set(ini, key, word);
	return r;
}

/* Whether a key of the table is in [@section]. */
static bool is_section(const struct ini *ini, const char *section)
{
	const struct ini_key *key = ini->keys, *end = key + ini->n_keys;

	while (key < end && !in_section(key, section))
		key++;
	return key < end;
}

/* inih's handler. Return: 1; 0 for an error. */
static int on_pair(void *user, const char *no_section, const char *name,
		   const char *value)
{
	const struct ini_key *key;
	struct ini *ini = user;

	if (!ini->section_line)
		return ini_fail(ini, "\"%s\" must come after a [section] header", name) ==
		       0;
	if (!is_section(ini, ini->section))
		return 1; /* reported at its own line */
	if (strstr(value, " #") || strstr(value, "\t#"))
		return ini_fail(ini, "a comment after a value begins with \";\", not "
				     "\"#\"") == 0;
	for (key = ini->keys; key < ini->keys + ini->n_keys; key++)
		if (in_section(key, ini->section) && !strcmp(key->name, name))
			return set_value(ini, key, value) == 0;
	ini_fail(ini, "unknown key \"%s\" in [%s]", name, ini->section);
	return 0;
}

static void ini_read_line(struct ini *ini, const char *from, const char *to)
{
	char line[INI_LINE_MAX + 2], *text = line + 1, *end;
	int n = 0;

	/* To inih, leading blanks mean that the line before continues. */
	while (from < to && (*from == ' ' || *from == '\t' || *from == '\r'))
		from++;
	for (; from < to; from++) {
		if (!*from)
			ini_fail(ini, "a NUL character");
		else if ((unsigned char)*from < ' ' && *from != '\t' && *from != '\r')
			ini_fail(ini, "a control character"); /* a blank, to inih */
		else if (n == INI_LINE_MAX)
			ini_fail(ini, "longer than %d characters", INI_LINE_MAX);
		if (ini->error)
			return;
		text[n++] = *from;
	}
	text[n] = '\0';
	if (ini->line == 1 && !strncmp(text, BYTE_ORDER_MARK, 3))
		text += 3;
	text[-1] = '\n'; /* inih would skip a byte order mark in the first line */
	end = strchr(text, ']');
	if (*text == '[' && end) {
		snprintf(ini->section, end - text, "%s", text + 1);
		ini->section_line = ini->line;
		if (ini->on_section)
			ini->on_section(ini);
		if (!is_section(ini, ini->section))
			ini_fail(ini, "unknown section [%s]", ini->section);
	} else if (*text == '[' || ini_parse_string(text - 1, on_pair, ini) != 0) {
		ini_fail(ini, NOT_SPLIT);
	}
}

int ini_read_text(struct ini *ini, const char *text, size_t len)
{
	const char *end = text + len, *line_end;

	for (; text < end && !ini->error; text = line_end + 1) {
		line_end = memchr(text, '\n', end - text) ?: end;
		if (++ini->line > LINES_MAX)
			return ini_fail(ini, "more than %d lines", LINES_MAX);
		ini_read_line(ini, text, line_end);
		if (ini->report)
			ini->error = 0;
	}
	return ini->error;
}

/* Not stdio: mptcpaddrd's system call filter kills fdopen(), which calls fcntl(). */
static ssize_t read_regular(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = 0, len = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		len = -EINVAL;
	while (len >= 0 && (n = read(fd, text + len, FILE_MAX - len)) != 0)
		len = n < 0 ? -errno : len + n;
	close(fd);
	return len == FILE_MAX ? -EFBIG : len;
}

const char *ini_file_error(int r)
{
	return r == -EINVAL ? "not a regular file" : strerror(-r);
}

int ini_read_file(struct ini *ini)
{
	char *text = malloc(FILE_MAX);
	ssize_t len = text ? read_regular(ini->path, text) : -ENOMEM;

	if (len >= 0) {
		ini_read_text(ini, text, len);
	} else {
		ini_fail(ini, "%s", ini_file_error(len));
		ini->error = len;
	}
	free(text);
	return ini->error;
}

static void *find_field(const struct ini *ini, const struct ini_key *key)
{
	return (char *)ini->into + key->offset;
}

int ini_set_number(struct ini *ini, const struct ini_key *key, char *text)
{
	struct pool_error why;

	if (parse_range(key->name, text, 0, key->max, find_field(ini, key), &why) < 0)
		return ini_fail(ini, "%s", why.text);
	return 0;
}

int ini_set_yes_no(struct ini *ini, const struct ini_key *key, char *text)
{
	bool *field = find_field(ini, key);

	*field = !strcmp(text, "yes");
	if (!*field && strcmp(text, "no") != 0)
		return ini_fail(ini, "%s is \"%s\", not yes or no", key->name, text);
	return 0;
}

int ini_set_log(struct ini *ini, const struct ini_key *key, char *text)
{
	const int level = log_level_parse(text, strlen(text));

	if (level < 0)
		return ini_fail(ini, "log is \"%s\", not error, warning, info or debug",
				text);
	*(enum log_level *)find_field(ini, key) = level;
	return 0;
}

int ini_add_prefix(struct ini *ini, const struct ini_key *key, char *text)
{
	struct prefix_list *list = find_field(ini, key);

	if (list->n == POOL_PREFIXES_MAX)
		return ini_fail(ini, "more than %d prefixes in \"%s\"", POOL_PREFIXES_MAX,
				key->name);
	if (mpprefix_parse(text, &list->v[list->n]) < 0)
		return ini_fail(ini, "\"%s\" is not an address prefix", text);
	list->n++;
	return 0;
}
