// SPDX-License-Identifier: MIT
/*
 * unit.c - read the files of a systemd service
 *
 * systemctl(1) needs a running systemd, and shows no unit below --root. See
 * systemd.unit(5) for where files are, systemd.syntax(7) for their lines.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 10000
#define LINKS_MAX 8

/* The first one wins. */
static const char *const directories[] = {
	"/etc/systemd/system",	   "/run/systemd/system", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system",
};

#define N_DIRECTORIES (sizeof(directories) / sizeof(*directories))

int unit_set_name(struct unit *unit, const char *word)
{
	static const char others[] = " .socket .timer .target .mount .slice .path ";
	const char *dot = strrchr(word, '.') ?: "";
	char kind[UNIT_NAME_MAX];

	if (!*word || strchr(".-", *word) || strpbrk(word, "/ \t\n\"'\\*?[") ||
	    snprintf(unit->name, sizeof(unit->name), "%s%s", word,
		     strcmp(dot, ".service") ? ".service" : "") >= UNIT_NAME_MAX)
		return -EINVAL;
	snprintf(kind, sizeof(kind), " %s ", dot);
	return *dot && strstr(others, kind) ? -EOPNOTSUPP : 0;
}

/* Resolve the link @path below @root. Return: 0; -ESHUTDOWN: to /dev/null; -errno. */
static int follow_link(const char *root, char path[PATH_MAX])
{
	char target[PATH_MAX];
	size_t kept;
	ssize_t n;
	int i;

	for (i = 0; i < LINKS_MAX; i++) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return errno == EINVAL ? 0 : -errno; /* no link */
		target[n] = '\0';
		if (!strcmp(target, "/dev/null"))
			return -ESHUTDOWN;
		kept = strlen(root);
		if (*target != '/')
			kept = strrchr(path, '/') + 1 - path;
		if (kept + n >= PATH_MAX)
			return -ENAMETOOLONG;
		strcpy(path + kept, target);
	}
	return -ELOOP;
}

static int find_unit_file(struct unit *unit, const char *name)
{
	struct stat st;
	size_t i;
	int r;

	for (i = 0; i < N_DIRECTORIES; i++) {
		if (snprintf(unit->file, PATH_MAX, "%s%s/%s", unit->root, directories[i],
			     name) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (lstat(unit->file, &st) < 0)
			continue;
		r = follow_link(unit->root, unit->file);
		if (r == 0 && stat(unit->file, &st) == 0 && S_ISREG(st.st_mode))
			return st.st_size ? 0 : -ESHUTDOWN; /* empty: masked too */
		return r ?: -ENOENT;
	}
	return -ENOENT;
}

/* Cut the next word, with its quotes removed, off *@at. Return: it, or NULL. */
static char *cut_word(char **at)
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

static void set_environment(struct unit *unit, char *value)
{
	char *word;

	if (!*value)
		unit->preload[0] = unit->godebug[0] = '\0';
	while ((word = cut_word(&value))) {
		if (!strncmp(word, "LD_PRELOAD=", 11))
			snprintf(unit->preload, sizeof(unit->preload), "%s", word + 11);
		if (!strncmp(word, "GODEBUG=", 8))
			snprintf(unit->godebug, sizeof(unit->godebug), "%s", word + 8);
	}
}

/* An empty value removes all before it. */
static void set_start(struct unit *unit, char *value)
{
	char *word;

	snprintf(unit->start, sizeof(unit->start), "%s", value);
	unit->starts = *value ? unit->starts + 1 : 0;
	word = cut_word(&value);
	if (!word || !unit->program[0])
		snprintf(unit->program, PATH_MAX, "%s",
			 word ? word + strspn(word, START_PREFIXES) : "");
}

/* Its variables override those of Environment=, whatever the order of the lines. */
static void read_environment_file(struct unit *unit, const char *value)
{
	char path[2 * PATH_MAX], *text = NULL;
	size_t size = 0;
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "%s%s", unit->root, value);
	file = fopen(path, "re");
	while (file && n++ < LINES_MAX && getline(&text, &size, file) > 0)
		if (!strncmp(text + strspn(text, " \t"), "LD_PRELOAD=", 11))
			snprintf(unit->environment_file, PATH_MAX, "%s", value);
	free(text);
	if (file)
		fclose(file);
}

static bool is_yes(const char *value)
{
	return !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "on") ||
	       !strcmp(value, "1");
}

static char *trim_setting(char *text)
{
	char *end;

	text += strspn(text, " \t");
	end = text + strlen(text);
	while (end > text && strchr(" \t\r\n", end[-1]))
		*--end = '\0';
	return text;
}

static void read_setting(struct unit *unit, char *text)
{
	char *name, *value = strchr(text, '=');

	if (!value)
		return;
	*value++ = '\0';
	name = trim_setting(text);
	value = trim_setting(value);
	if (!strcmp(name, "ExecStart"))
		set_start(unit, value);
	else if (!strcmp(name, "Environment"))
		set_environment(unit, value);
	else if (!strcmp(name, "EnvironmentFile"))
		read_environment_file(unit, value + (*value == '-'));
	else if (!strcmp(name, "CapabilityBoundingSet"))
		unit->bounded = true;
	else if (!strcmp(name, "RestrictAddressFamilies") && *value != '~')
		unit->families = *value;
	else if (!strcmp(name, "SystemCallFilter"))
		unit->filters = *value;
	else if (!strcmp(name, "NoExecPaths"))
		unit->no_exec = *value;
	else if (!strcmp(name, "Type"))
		unit->forks = !strcmp(value, "forking");
	else if (!strcmp(name, "PIDFile"))
		unit->pid_file = *value;
	else if (!strcmp(name, "PrivateUsers"))
		unit->private_users = is_yes(value);
	else if (!strcmp(name, "User"))
		unit->user = *value && strcmp(value, "root") && strcmp(value, "0");
	else if (!strcmp(name, "DynamicUser"))
		unit->user |= is_yes(value);
	else if (!strcmp(name, "RootDirectory") || !strcmp(name, "RootImage"))
		snprintf(unit->own_root, PATH_MAX, "%s", value);
}

/* A line that ends in a backslash continues, past comments, in the next one. */
static int read_unit_file(struct unit *unit, const char *path)
{
	char text[SETTING_MAX], *line = NULL, *part;
	FILE *file = fopen(path, "re");
	bool in_service = false;
	size_t size = 0, len = 0;
	int n = 0;

	if (!file)
		return -errno;
	while (n++ < LINES_MAX && getline(&line, &size, file) > 0) {
		part = trim_setting(line);
		if (*part == '#' || *part == ';')
			continue;
		len += snprintf(text + len, sizeof(text) - len, "%s", part);
		if (len >= sizeof(text))
			break;
		if (len && text[len - 1] == '\\') {
			text[len - 1] = ' ';
			continue;
		}
		if (*text == '[')
			in_service = !strcmp(text, "[Service]");
		if (in_service)
			read_setting(unit, text);
		len = 0;
	}
	free(line);
	fclose(file);
	return 0;
}

static int is_other_drop_in(const struct dirent *entry)
{
	return fnmatch("?*.conf", entry->d_name, 0) == 0 &&
	       strcmp(entry->d_name, DROP_IN) != 0;
}

/* Sorted by name within each directory; /etc comes last, as it takes precedence. */
static void read_drop_ins(struct unit *unit, const char *name)
{
	char directory[2 * PATH_MAX], path[3 * PATH_MAX];
	struct dirent **entries;
	size_t i;
	int n, k;

	for (i = N_DIRECTORIES; i-- > 0;) {
		snprintf(directory, sizeof(directory), "%s%s/%s.d", unit->root,
			 directories[i], name);
		n = scandir(directory, &entries, is_other_drop_in, alphasort);
		for (k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "%s/%s", directory,
				 entries[k]->d_name);
			read_unit_file(unit, path);
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
}

int unit_read(struct unit *unit)
{
	const char *at = strchr(unit->name, '@');
	char template[UNIT_NAME_MAX] = "";
	int r = find_unit_file(unit, unit->name);

	/* "web@one.service" is an instance of "web@.service". */
	if (at && at[1] != '.')
		snprintf(template, sizeof(template), "%.*s@.service",
			 (int)(at - unit->name), unit->name);
	if (r == -ENOENT && *template)
		r = find_unit_file(unit, template);
	if (r == 0)
		r = read_unit_file(unit, unit->file);
	if (r == 0 && *template)
		read_drop_ins(unit, template);
	if (r == 0)
		read_drop_ins(unit, unit->name);
	return r;
}
