// SPDX-License-Identifier: MIT
/*
 * unit.c - what a systemd service says, as far as the library's work depends on it
 *
 * Reads files and asks nobody: it works without a running systemd, and below a folder.
 * See systemd.unit(5) for where files are, systemd.syntax(7) for their lines.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 10000
#define LINKS_MAX 8

/* The first one wins. */
static const char *const folders[] = {
	"/etc/systemd/system",	   "/run/systemd/system", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system",
};

#define N_FOLDERS (sizeof(folders) / sizeof(*folders))

int unit_name(const char *word, char ret_name[UNIT_NAME_MAX])
{
	const char *dot = strrchr(word, '.');
	int n;

	if (!*word || strchr(word, '/') || *word == '.' || *word == '-' ||
	    strpbrk(word, " \t\n\"'\\*?["))
		return -EINVAL;
	if (dot && !strcmp(dot, ".service"))
		n = snprintf(ret_name, UNIT_NAME_MAX, "%s", word);
	else if (dot && (!strcmp(dot, ".socket") || !strcmp(dot, ".timer") ||
			 !strcmp(dot, ".target") || !strcmp(dot, ".mount") ||
			 !strcmp(dot, ".slice") || !strcmp(dot, ".path")))
		return -EOPNOTSUPP;
	else
		n = snprintf(ret_name, UNIT_NAME_MAX, "%s.service", word);
	return n < UNIT_NAME_MAX ? 0 : -EINVAL;
}

/* An absolute link below @root stays below it. Return: 0; -errno. */
static int follow(const char *root, char path[PATH_MAX])
{
	char target[PATH_MAX], next[2 * PATH_MAX];
	ssize_t n;
	int i;

	for (i = 0; i < LINKS_MAX; i++) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return errno == EINVAL ? 0 : -errno; /* no link */
		target[n] = '\0';
		if (!strcmp(target, "/dev/null"))
			return -ESHUTDOWN;
		if (*target == '/')
			snprintf(next, sizeof(next), "%s%s", root, target);
		else
			snprintf(next, sizeof(next), "%.*s/%s",
				 (int)(strrchr(path, '/') - path), path, target);
		if (snprintf(path, PATH_MAX, "%s", next) >= PATH_MAX)
			return -ENAMETOOLONG;
	}
	return -ELOOP;
}

static int find_file(const char *root, const char *name, char ret_path[PATH_MAX])
{
	struct stat st;
	size_t i;
	int r;

	for (i = 0; i < N_FOLDERS; i++) {
		if (snprintf(ret_path, PATH_MAX, "%s%s/%s", root, folders[i], name) >=
		    PATH_MAX)
			return -ENAMETOOLONG;
		if (lstat(ret_path, &st) < 0)
			continue;
		r = follow(root, ret_path);
		if (r == 0 && stat(ret_path, &st) == 0 && S_ISREG(st.st_mode))
			return st.st_size ? 0 : -ESHUTDOWN; /* empty: masked, too */
		return r ?: -ENOENT;
	}
	return -ENOENT;
}

/* The next word of a value with quotes. Return: it, or NULL; *@at is behind it. */
static char *next_word(char **at)
{
	char *from = *at + strspn(*at, " \t"), *to = from, *word = from, quote = 0;

	if (!*from)
		return NULL;
	for (; *from && (quote || (*from != ' ' && *from != '\t')); from++) {
		if (quote && *from == quote)
			quote = 0;
		else if (!quote && (*from == '"' || *from == '\''))
			quote = *from;
		else if (*from == '\\' && from[1])
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*at = from + !!*from;
	*to = '\0';
	return word;
}

static void take_environment(struct unit *unit, char *value)
{
	char *word;

	if (!*value)
		unit->preload[0] = '\0';
	while ((word = next_word(&value)))
		if (!strncmp(word, "LD_PRELOAD=", 11))
			snprintf(unit->preload, sizeof(unit->preload), "%s", word + 11);
}

/* Its variables come after those of Environment=, whatever the order of the lines. */
static void take_environment_file(struct unit *unit, const char *root, const char *value)
{
	char path[PATH_MAX];
	char *text = NULL;
	size_t size = 0;
	FILE *file;
	int n = 0;

	value += *value == '-';
	if (snprintf(path, sizeof(path), "%s%s", root, value) >= PATH_MAX)
		return;
	file = fopen(path, "re");
	while (file && n++ < LINES_MAX && getline(&text, &size, file) > 0)
		if (!strncmp(text + strspn(text, " \t"), "LD_PRELOAD=", 11))
			snprintf(unit->environment_file, PATH_MAX, "%s", value);
	free(text);
	if (file)
		fclose(file);
}

static void take_program(struct unit *unit, char *value)
{
	char *word;

	if (!*value) {
		unit->program[0] = '\0';
		return;
	}
	word = next_word(&value);
	word += word ? strspn(word, "@-:+!") : 0;
	if (word && !unit->program[0])
		snprintf(unit->program, sizeof(unit->program), "%s", word);
}

static bool is_yes(const char *value)
{
	return !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on") ||
	       !strcmp(value, "1");
}

static void take(struct unit *unit, const char *root, const char *name, char *value)
{
	if (!strcmp(name, "ExecStart"))
		take_program(unit, value);
	else if (!strcmp(name, "Environment"))
		take_environment(unit, value);
	else if (!strcmp(name, "EnvironmentFile"))
		take_environment_file(unit, root, value);
	else if (!strcmp(name, "CapabilityBoundingSet"))
		unit->bounded = true;
	else if (!strcmp(name, "RestrictAddressFamilies"))
		unit->families = *value && *value != '~' ? true
				 : *value		 ? unit->families
							 : false;
	else if (!strcmp(name, "PrivateUsers"))
		unit->private_users = is_yes(value);
	else if (!strcmp(name, "User"))
		unit->user = *value && strcmp(value, "root") && strcmp(value, "0");
	else if (!strcmp(name, "DynamicUser"))
		unit->user |= is_yes(value);
	else if (!strcmp(name, "RootDirectory") || !strcmp(name, "RootImage"))
		snprintf(unit->root, sizeof(unit->root), "%s", value);
}

/* Without the blanks around it. */
static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return text;
}

/* One logical line: a backslash at the end goes on in the next one. False: the end. */
static bool read_line(FILE *file, char **line, size_t *size, char text[UNIT_TEXT_MAX])
{
	size_t len = 0;
	int n = 0;

	*text = '\0';
	while (n++ < LINES_MAX && getline(line, size, file) > 0) {
		char *part = trim(*line);
		size_t part_len = strlen(part);
		bool more = part_len && part[part_len - 1] == '\\';

		if (*part == '#' || *part == ';') {
			if (len)
				continue; /* in the middle of one */
			return true;
		}
		len += snprintf(text + len, UNIT_TEXT_MAX - len, "%.*s%s",
				(int)(part_len - more), part, more ? " " : "");
		if (!more || len >= UNIT_TEXT_MAX)
			return len < UNIT_TEXT_MAX;
	}
	return len > 0;
}

static int read_file(struct unit *unit, const char *root, const char *path)
{
	FILE *file = fopen(path, "re");
	char text[UNIT_TEXT_MAX], *line = NULL, *equals;
	bool in_service = false;
	size_t size = 0;
	int n = 0;

	if (!file)
		return -errno;
	while (n++ < LINES_MAX && read_line(file, &line, &size, text)) {
		if (*text == '[')
			in_service = !strcmp(text, "[Service]");
		equals = in_service ? strchr(text, '=') : NULL;
		if (!equals)
			continue;
		*equals = '\0';
		take(unit, root, trim(text), trim(equals + 1));
	}
	free(line);
	fclose(file);
	return 0;
}

static int is_conf(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* Sorted by name within each folder; /etc comes last, as what counts most. */
static void read_drop_ins(struct unit *unit, const char *root, const char *name,
			  const char *except)
{
	char folder[PATH_MAX], path[2 * PATH_MAX];
	struct dirent **entries;
	size_t i;
	int n, k;

	for (i = N_FOLDERS; i-- > 0;) {
		if (snprintf(folder, sizeof(folder), "%s%s/%s.d", root, folders[i],
			     name) >= PATH_MAX)
			continue;
		n = scandir(folder, &entries, is_conf, alphasort);
		for (k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "%s/%s", folder, entries[k]->d_name);
			if (strcmp(entries[k]->d_name, except) != 0)
				read_file(unit, root, path);
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
}

/* "web@one.service" is an instance of "web@.service". */
static bool template_of(const char *name, char ret_name[UNIT_NAME_MAX])
{
	const char *at = strchr(name, '@');

	if (!at || at[1] == '.')
		return false;
	snprintf(ret_name, UNIT_NAME_MAX, "%.*s@.service", (int)(at - name), name);
	return true;
}

int unit_read(const char *root, const char *name, const char *except,
	      struct unit *ret_unit)
{
	char template[UNIT_NAME_MAX];
	bool instance = template_of(name, template);
	int r;

	*ret_unit = (struct unit){ .bounded = false };
	snprintf(ret_unit->name, sizeof(ret_unit->name), "%s", name);
	r = find_file(root, name, ret_unit->file);
	if (r == -ENOENT && instance)
		r = find_file(root, template, ret_unit->file);
	if (r == 0)
		r = read_file(ret_unit, root, ret_unit->file);
	if (r < 0)
		return r;
	if (instance)
		read_drop_ins(ret_unit, root, template, except);
	read_drop_ins(ret_unit, root, name, except);
	return 0;
}
