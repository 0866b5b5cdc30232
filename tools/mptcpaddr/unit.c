// SPDX-License-Identifier: MIT
/*
 * unit.c - read the settings of a systemd service that the library depends on
 *
 * Reads the files itself: systemctl(1) needs a running systemd, and shows no unit below
 * --root. See systemd.unit(5) for where files are, systemd.syntax(7) for their lines.
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
static const char *const directories[] = {
	"/etc/systemd/system",	   "/run/systemd/system", "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system", "/lib/systemd/system",
};

#define N_DIRECTORIES (sizeof(directories) / sizeof(*directories))

int unit_name(const char *word, char ret_name[UNIT_NAME_MAX])
{
	static const char *const others[] = { ".socket", ".timer", ".target",
					      ".mount",	 ".slice", ".path" };
	const char *dot = strrchr(word, '.');
	size_t i;

	if (!*word || strchr(".-", *word) || strpbrk(word, "/ \t\n\"'\\*?["))
		return -EINVAL;
	for (i = 0; dot && i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(dot, others[i]))
			return -EOPNOTSUPP;
	return snprintf(ret_name, UNIT_NAME_MAX, "%s%s", word,
			dot && !strcmp(dot, ".service") ? "" : ".service") < UNIT_NAME_MAX
		       ? 0
		       : -EINVAL;
}

/* Resolve the link @path below @root. Return: 0; -ESHUTDOWN: to /dev/null; -errno. */
static int follow_link(const char *root, char path[PATH_MAX])
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

static int find_unit_file(const char *root, const char *name, char ret_path[PATH_MAX])
{
	struct stat st;
	size_t i;
	int r;

	for (i = 0; i < N_DIRECTORIES; i++) {
		if (snprintf(ret_path, PATH_MAX, "%s%s/%s", root, directories[i], name) >=
		    PATH_MAX)
			return -ENAMETOOLONG;
		if (lstat(ret_path, &st) < 0)
			continue;
		r = follow_link(root, ret_path);
		if (r == 0 && stat(ret_path, &st) == 0 && S_ISREG(st.st_mode))
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

static void set_unit_preload(struct unit *unit, char *value)
{
	char *word;

	if (!*value)
		unit->preload[0] = '\0';
	while ((word = cut_word(&value)))
		if (!strncmp(word, "LD_PRELOAD=", 11))
			snprintf(unit->preload, sizeof(unit->preload), "%s", word + 11);
}

/* Its variables override those of Environment=, whatever the order of the lines. */
static void read_environment_file(struct unit *unit, const char *root, const char *value)
{
	char path[PATH_MAX], *text = NULL;
	size_t size = 0;
	FILE *file;
	int n = 0;

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

static void read_setting(struct unit *unit, const char *root, char *text)
{
	char *name, *value = strchr(text, '='), *word;

	if (!value)
		return;
	*value++ = '\0';
	name = trim_setting(text);
	value = trim_setting(value);
	if (!strcmp(name, "ExecStart")) {
		word = cut_word(&value);
		if (!word || !unit->program[0])
			snprintf(unit->program, PATH_MAX, "%s",
				 word ? word + strspn(word, "@-:+!") : "");
	} else if (!strcmp(name, "Environment"))
		set_unit_preload(unit, value);
	else if (!strcmp(name, "EnvironmentFile"))
		read_environment_file(unit, root, value + (*value == '-'));
	else if (!strcmp(name, "CapabilityBoundingSet"))
		unit->bounded = true;
	else if (!strcmp(name, "RestrictAddressFamilies") && *value != '~')
		unit->families = *value;
	else if (!strcmp(name, "PrivateUsers"))
		unit->private_users = is_yes(value);
	else if (!strcmp(name, "User"))
		unit->user = *value && strcmp(value, "root") && strcmp(value, "0");
	else if (!strcmp(name, "DynamicUser"))
		unit->user |= is_yes(value);
	else if (!strcmp(name, "RootDirectory") || !strcmp(name, "RootImage"))
		snprintf(unit->root, sizeof(unit->root), "%s", value);
}

/* A line that ends in a backslash continues, past comments, in the next one. */
static int read_unit_file(struct unit *unit, const char *root, const char *path)
{
	char text[UNIT_TEXT_MAX], *line = NULL, *part;
	FILE *file = fopen(path, "re");
	bool in_service = false, more;
	size_t size = 0, len = 0, part_len;
	int n = 0;

	if (!file)
		return -errno;
	while (n++ < LINES_MAX && getline(&line, &size, file) > 0) {
		part = trim_setting(line);
		if (*part == '#' || *part == ';')
			continue;
		part_len = strlen(part);
		more = part_len && part[part_len - 1] == '\\';
		len += snprintf(text + len, sizeof(text) - len, "%.*s%s",
				(int)(part_len - more), part, more ? " " : "");
		if (len >= sizeof(text))
			break;
		if (more)
			continue;
		if (*text == '[')
			in_service = !strcmp(text, "[Service]");
		if (in_service)
			read_setting(unit, root, text);
		len = 0;
	}
	free(line);
	fclose(file);
	return 0;
}

static int is_drop_in(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* Sorted by name within each directory; /etc comes last, as it takes precedence. */
static void read_drop_ins(struct unit *unit, const char *root, const char *name,
			  const char *except)
{
	char directory[PATH_MAX], path[2 * PATH_MAX];
	struct dirent **entries;
	size_t i;
	int n, k;

	for (i = N_DIRECTORIES; i-- > 0;) {
		snprintf(directory, sizeof(directory), "%s%s/%s.d", root, directories[i],
			 name);
		n = scandir(directory, &entries, is_drop_in, alphasort);
		for (k = 0; k < n; k++) {
			snprintf(path, sizeof(path), "%s/%s", directory,
				 entries[k]->d_name);
			if (strcmp(entries[k]->d_name, except) != 0)
				read_unit_file(unit, root, path);
			free(entries[k]);
		}
		if (n >= 0)
			free(entries);
	}
}

int unit_read(const char *root, const char *name, const char *except,
	      struct unit *ret_unit)
{
	const char *at = strchr(name, '@');
	char template[UNIT_NAME_MAX] = "";
	int r;

	/* "web@one.service" is an instance of "web@.service". */
	if (at && at[1] != '.')
		snprintf(template, sizeof(template), "%.*s@.service", (int)(at - name),
			 name);
	*ret_unit = (struct unit){ .bounded = false };
	snprintf(ret_unit->name, sizeof(ret_unit->name), "%s", name);
	r = find_unit_file(root, name, ret_unit->file);
	if (r == -ENOENT && *template)
		r = find_unit_file(root, template, ret_unit->file);
	if (r == 0)
		r = read_unit_file(ret_unit, root, ret_unit->file);
	if (r < 0)
		return r;
	if (*template)
		read_drop_ins(ret_unit, root, template, except);
	read_drop_ins(ret_unit, root, name, except);
	return 0;
}
