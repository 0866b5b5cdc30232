// SPDX-License-Identifier: MIT
/*
 * policy.c - /etc/mptcpaddr/broker.conf: what the administrator lets users do
 */
#include "policy.h"

#include <errno.h>
#include <grp.h>
#include <ini.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES_MAX 10000

struct parser {
	FILE *file;
	const char *path;
	struct policy *policy;
	struct pool_error *why;
	unsigned int line;
	int error;
	struct policy_program *program; /* whose section this is; NULL: another section */
};

struct key {
	const char *section, *name;
	int (*set)(struct parser *p, const char *name, char *value);
};

__attribute__((format(printf, 2, 3))) static int bad(struct parser *p, const char *fmt,
						     ...)
{
	va_list ap;

	if (p->error)
		return p->error;
	va_start(ap, fmt);
	pool_error_at(p->why, p->path, p->line, fmt, ap);
	va_end(ap);
	return p->error = -EINVAL;
}

/* Decimal digits and nothing else. */
static bool number(const char *text, unsigned long max, unsigned int *ret_value)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value > max)
		return false;
	*ret_value = value;
	return true;
}

/*
 * Not getpwnam(): name services come as libraries and talk to daemons, and this runs
 * behind a system call filter when the file is read again.
 */
static bool find_user(const char *name, uid_t *ret_uid)
{
	struct passwd *entry;
	bool found = false;
	FILE *f;

	if (number(name, UINT32_MAX - 1, ret_uid))
		return true;
	f = fopen("/etc/passwd", "re");
	while (f && !found && (entry = fgetpwent(f)))
		if (!strcmp(entry->pw_name, name)) {
			*ret_uid = entry->pw_uid;
			found = true;
		}
	if (f)
		fclose(f);
	return found;
}

static bool find_group(const char *name, gid_t *ret_gid)
{
	struct group *entry;
	bool found = false;
	FILE *f;

	if (number(name, UINT32_MAX - 1, ret_gid))
		return true;
	f = fopen("/etc/group", "re");
	while (f && !found && (entry = fgetgrent(f)))
		if (!strcmp(entry->gr_name, name)) {
			*ret_gid = entry->gr_gid;
			found = true;
		}
	if (f)
		fclose(f);
	return found;
}

static int set_yes_no(struct parser *p, const char *name, char *value)
{
	bool yes = !strcmp(value, "yes");

	if (!yes && strcmp(value, "no") != 0)
		return bad(p, "%s is \"%s\", not yes or no", name, value);
	if (!strcmp(name, "adopt"))
		p->policy->adopt = yes;
	else
		p->policy->pools = yes;
	return 0;
}

static int set_path_manager(struct parser *p, const char *name, char *value)
{
	p->policy->userspace = !strcmp(value, "userspace");
	if (!p->policy->userspace && strcmp(value, "keep") != 0)
		return bad(p, "%s is \"%s\", not userspace or keep", name, value);
	return 0;
}

static int set_log(struct parser *p, const char *name, char *value)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	unsigned int i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (!strcmp(value, levels[i])) {
			p->policy->log = i;
			return 0;
		}
	}
	return bad(p, "log is \"%s\", not error, warning, info or debug", value);
}

static int set_limit(struct parser *p, const char *name, char *value)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned int max;
	} limits[] = {
		{ "subflows", offsetof(struct policy, subflows), POOL_LIMIT_MAX },
		{ "subflows_per_user", offsetof(struct policy, user_subflows), 1000000 },
		{ "connections_per_user", offsetof(struct policy, user_connections),
		  1000000 },
		{ "rate_per_user", offsetof(struct policy, user_rate), 1000000 },
	};
	unsigned int i, *limit;

	for (i = 0; strcmp(limits[i].name, name) != 0; i++)
		;
	limit = (unsigned int *)((char *)p->policy + limits[i].offset);
	if (!number(value, limits[i].max, limit))
		return bad(p, "%s \"%s\" is not in 0-%u", name, value, limits[i].max);
	return 0;
}

static int set_prefix(struct parser *p, const char *word)
{
	struct prefix_list *list = &p->policy->addresses;

	if (list->n == POOL_PREFIXES_MAX)
		return bad(p, "more than %d addresses", POOL_PREFIXES_MAX);
	if (mpprefix_parse(word, &list->v[list->n]) < 0)
		return bad(p, "\"%s\" is not an address prefix", word);
	list->n++;
	return 0;
}

static int set_device(struct parser *p, const char *word)
{
	struct policy *policy = p->policy;

	if (policy->n_devices == POLICY_DEVICES_MAX)
		return bad(p, "more than %d devices", POLICY_DEVICES_MAX);
	if (strlen(word) >= IFNAMSIZ)
		return bad(p, "\"%s\" is too long for an interface", word);
	strcpy(policy->devices[policy->n_devices++], word);
	return 0;
}

static int set_user(struct parser *p, const char *word)
{
	struct policy *policy = p->policy;

	if (policy->n_uids == POLICY_IDS_MAX)
		return bad(p, "more than %d users", POLICY_IDS_MAX);
	if (!find_user(word, &policy->uids[policy->n_uids]))
		return bad(p, "no user \"%s\" in /etc/passwd", word);
	policy->n_uids++;
	policy->restricted = true;
	return 0;
}

static int set_group(struct parser *p, const char *word)
{
	struct policy *policy = p->policy;

	if (policy->n_gids == POLICY_IDS_MAX)
		return bad(p, "more than %d groups", POLICY_IDS_MAX);
	if (!find_group(word, &policy->gids[policy->n_gids]))
		return bad(p, "no group \"%s\" in /etc/group", word);
	policy->n_gids++;
	policy->restricted = true;
	return 0;
}

static int set_list(struct parser *p, const char *name, char *value)
{
	int (*set)(struct parser *, const char *) = *name == 'u'   ? set_user
						    : *name == 'g' ? set_group
						    : *name == 'a' ? set_prefix
								   : set_device;
	char *word, *save;
	int r = 0;

	/* Nobody, or everybody? */
	if (!value[strspn(value, " \t,")])
		return bad(p, "%s names nothing", name);
	for (word = strtok_r(value, " \t,", &save); word && r == 0;
	     word = strtok_r(NULL, " \t,", &save))
		r = set(p, word);
	return r;
}

static int set_pool(struct parser *p, const char *name, char *value)
{
	if (*value != '/' || strlen(value) >= sizeof(p->program->pool))
		return bad(p, "pool \"%s\" is not an absolute path", value);
	strcpy(p->program->pool, value);
	return 0;
}

static const struct key keys[] = {
	{ "broker", "path_manager", set_path_manager },
	{ "broker", "adopt", set_yes_no },
	{ "broker", "log", set_log },
	{ "users", "users", set_list },
	{ "users", "groups", set_list },
	{ "users", "pools", set_yes_no },
	{ "users", "addresses", set_list },
	{ "users", "devices", set_list },
	{ "users", "subflows", set_limit },
	{ "users", "subflows_per_user", set_limit },
	{ "users", "connections_per_user", set_limit },
	{ "users", "rate_per_user", set_limit },
	{ "program", "pool", set_pool },
};

/* uid:1000, cgroup:/path, unit:caddy.service */
static int name_program(struct parser *p, struct policy_program *program, char *text)
{
	char *colon = strchr(text, ':');
	const char *name = colon ? colon + 1 : "";

	if (!colon || !*name)
		return bad(p, "[program \"%s\"] is not uid:, cgroup: or unit:", text);
	*colon = '\0';
	strcpy(program->name, name); /* which is shorter than `text` */
	if (!strcmp(text, "uid")) {
		program->kind = PROGRAM_UID;
		if (!find_user(name, &program->uid))
			return bad(p, "no user \"%s\" in /etc/passwd", name);
		snprintf(program->name, sizeof(program->name), "uid:%.200s", name);
		return 0;
	}
	if (!strcmp(text, "cgroup")) {
		program->kind = PROGRAM_CGROUP;
		return *name == '/' && !strstr(name, "/..")
			       ? 0
			       : bad(p, "cgroup \"%s\" does not begin with /", name);
	}
	program->kind = PROGRAM_UNIT;
	if (strcmp(text, "unit") != 0 || strchr(name, '/') || *name == '.')
		return bad(p, "[program \"%s:%s\"] is not uid:, cgroup: or unit:", text,
			   name);
	if (!strchr(name, '.'))
		return bad(p, "unit \"%s\" has no type: %s.service?", name, name);
	return 0;
}

static int section_left(struct parser *p)
{
	if (p->program && !p->program->pool[0]) {
		p->line = p->program->line;
		return bad(p, "a [program] without \"pool = FILE\"");
	}
	p->program = NULL;
	return 0;
}

/* A line that begins with '['. inih would cut the name of the section at 50 characters.
 */
static int section_enter(struct parser *p, char *line)
{
	struct policy *policy = p->policy;
	struct policy_program *program;
	char text[256];
	int n = 0;

	if (section_left(p) < 0)
		return -EINVAL;
	if (strncmp(line, "[program", 8) != 0)
		return 0;
	if (sscanf(line, "[program \"%255[^\"]\"]%n", text, &n) != 1 || !n ||
	    line[n + strspn(line + n, " \t\r\n")])
		return bad(p, "not [program \"NAME\"]");
	if (policy->n_programs == POLICY_PROGRAMS_MAX)
		return bad(p, "more than %d programs", POLICY_PROGRAMS_MAX);
	program = &policy->programs[policy->n_programs++];
	*program = (struct policy_program){ .line = p->line };
	p->program = program;
	strcpy(line, "[program]\n");
	return name_program(p, program, text);
}

/* inih's handler. Return: 1 to go on, 0 for an error. */
static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	bool known = false;
	char copy[512];
	unsigned int i;

	if (p->error)
		return 0;
	for (i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].section, section))
			continue;
		known = true;
		if (strcmp(keys[i].name, name))
			continue;
		if (keys[i].set == set_pool && !p->program)
			return bad(p, "not [program \"NAME\"]"), 0;
		if (strlen(value) >= sizeof(copy))
			return bad(p, "too long a value"), 0;
		strcpy(copy, value);
		return keys[i].set(p, name, copy) == 0;
	}
	if (known)
		bad(p, "unknown key \"%s\" in [%s]", name, section);
	else if (*section)
		bad(p, "unknown section [%s]", section);
	else
		bad(p, "\"%s\" stands before the first [section]", name);
	return 0;
}

/* One line for inih, never the continuation of the one before. */
static char *read_line(char *text, int size, void *user)
{
	struct parser *p = user;
	int n = 0, c;

	if (p->error)
		return NULL;
	if (++p->line > LINES_MAX && getc(p->file) != EOF)
		return bad(p, "more than %d lines", LINES_MAX), NULL;
	while ((c = getc(p->file)) != EOF && c != '\n') {
		if (!n && (c == ' ' || c == '\t'))
			continue;
		if (n >= size - 2 || !c) {
			bad(p, "longer than %d characters, or a NUL", size - 3);
			return NULL;
		}
		text[n++] = c;
	}
	if (c == EOF && !n)
		return NULL;
	text[n++] = '\n';
	text[n] = '\0';
	return *text == '[' && section_enter(p, text) < 0 ? NULL : text;
}

void policy_default(struct policy *ret_policy)
{
	*ret_policy = (struct policy){
		.log = LOG_LEVEL_INFO,
		.pools = true,
		.subflows = POOL_LIMIT_MAX,
		.user_subflows = 100000,
		.user_connections = 100000,
		.user_rate = 5000,
	};
}

int policy_load(const char *path, bool needed, struct policy *ret_policy,
		struct pool_error *why)
{
	struct parser p = { .path = path, .why = why };
	int line;

	p.policy = calloc(1, sizeof(*p.policy));
	if (!p.policy)
		return -ENOMEM;
	policy_default(p.policy);
	p.file = fopen(path, "re");
	if (p.file) {
		line = ini_parse_stream(read_line, &p, on_pair, &p);
		if (line > 0 && (!p.error || (unsigned int)line < p.line)) {
			p.error = 0;
			p.line = line;
			bad(&p, "neither \"name = value\" nor \"[section]\"");
		}
		section_left(&p);
		if (ferror(p.file)) { /* a folder, for one; what was read is not all */
			p.error = -EIO;
			snprintf(why->text, sizeof(why->text), "%s: %s", path,
				 strerror(EIO));
		}
		fclose(p.file);
	} else if (needed || errno != ENOENT) {
		p.error = -errno;
		snprintf(why->text, sizeof(why->text), "%s: %s", path, strerror(errno));
	}
	if (!p.error)
		*ret_policy = *p.policy;
	free(p.policy);
	return p.error;
}

bool policy_admits(const struct policy *policy, uid_t uid, const gid_t *gids,
		   unsigned int n_gids)
{
	unsigned int i, k;

	if (!policy->restricted || uid == 0)
		return true;
	for (i = 0; i < policy->n_uids; i++)
		if (policy->uids[i] == uid)
			return true;
	for (i = 0; i < policy->n_gids; i++)
		for (k = 0; k < n_gids; k++)
			if (policy->gids[i] == gids[k])
				return true;
	return false;
}

bool policy_address(const struct policy *policy, const struct mpaddr *addr,
		    const char *dev)
{
	bool ok = !policy->addresses.n;
	unsigned int i;

	for (i = 0; i < policy->addresses.n && !ok; i++)
		ok = mpprefix_covers(&policy->addresses.v[i], addr);
	if (!ok || !policy->n_devices)
		return ok;
	for (i = 0; i < policy->n_devices; i++)
		if (!strcmp(policy->devices[i], dev))
			return true;
	return false;
}
