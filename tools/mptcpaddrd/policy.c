// SPDX-License-Identifier: MIT
/*
 * policy.c - /etc/mptcpaddr/broker.conf: what the administrator lets users do
 */
#include "policy.h"
#include "shim/pool/endpoint.h"
#include "shim/pool/ini_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWD "/etc/passwd"
#define GROUP  "/etc/group"

/*
 * find_id() - @name is a number, or has one in a file of "name:password:number:..." lines
 *
 * Not getpwnam(): name services load libraries and talk to daemons, and when broker.conf
 * is read again a system call filter is in force.
 */
static bool find_id(const char *file, const char *name, unsigned int *ret_id)
{
	const size_t len = strlen(name);
	struct pool_error why;
	bool found = false;
	char *line = NULL, *rest;
	size_t size = 0;
	FILE *f;

	if (parse_range("", name, 0, UINT32_MAX - 1, ret_id, &why) == 0)
		return true;
	f = fopen(file, "re");
	while (f && !found && getline(&line, &size, f) > 0) {
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		rest = strchr(line + len + 1, ':');
		found = rest && sscanf(rest, ":%u:", ret_id) == 1;
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

static int add_id(struct ini *ini, const struct ini_key *key, char *word)
{
	const bool user = !strcmp(key->name, "users");
	struct policy *policy = ini->into;
	struct id_list *list = user ? &policy->users : &policy->groups;

	if (list->n == POLICY_IDS_MAX)
		return ini_fail(ini, "more than %d %s", POLICY_IDS_MAX, key->name);
	if (!find_id(user ? PASSWD : GROUP, word, &list->v[list->n]))
		return ini_fail(ini, "no %s \"%s\" in %s", user ? "user" : "group", word,
				user ? PASSWD : GROUP);
	list->n++;
	policy->restricted = true;
	return 0;
}

static int set_path_manager(struct ini *ini, const struct ini_key *key, char *text)
{
	struct policy *policy = ini->into;

	policy->userspace = !strcmp(text, "userspace");
	if (!policy->userspace && strcmp(text, "keep") != 0)
		return ini_fail(ini, "%s is \"%s\", not userspace or keep", key->name,
				text);
	return 0;
}

static int add_device(struct ini *ini, const struct ini_key *key, char *word)
{
	struct policy *policy = ini->into;

	if (policy->n_devices == POLICY_DEVICES_MAX)
		return ini_fail(ini, "more than %d devices", POLICY_DEVICES_MAX);
	if (strlen(word) >= IFNAMSIZ)
		return ini_fail(ini, "\"%s\" is too long for an interface", word);
	policy->devices_line = ini->line;
	strcpy(policy->devices[policy->n_devices++], word);
	return 0;
}

/* Of the [program] that began last. */
static int set_pool(struct ini *ini, const struct ini_key *key, char *text)
{
	struct policy *policy = ini->into;

	if (*text != '/')
		return ini_fail(ini, "pool \"%s\" is not an absolute path", text);
	snprintf(policy->programs[policy->n_programs - 1].pool,
		 sizeof(policy->programs[0].pool), "%s", text);
	return 0;
}

#define FIELD(member) .offset = offsetof(struct policy, member)
#define PER_USER_MAX  1000000

static const struct ini_key keys[] = {
	{ "broker", "path_manager", .set = set_path_manager },
	{ "broker", "adopt", ini_set_yes_no, FIELD(adopt) },
	{ "broker", "rearm", ini_set_yes_no, FIELD(rearm) },
	{ "broker", "log", ini_set_log, FIELD(log) },
	{ "users", "users", add_id, .form = INI_SOME_WORDS },
	{ "users", "groups", add_id, .form = INI_SOME_WORDS },
	{ "users", "pools", ini_set_yes_no, FIELD(pools) },
	{ "users", "addresses", ini_add_prefix, FIELD(addresses),
	  .form = INI_SOME_WORDS },
	{ "users", "devices", add_device, .form = INI_SOME_WORDS },
	{ "users", "subflows", ini_set_number, FIELD(subflows), .max = POOL_LIMIT_MAX },
	{ "users", "subflows_per_user", ini_set_number, FIELD(user_subflows),
	  .max = PER_USER_MAX },
	{ "users", "connections_per_user", ini_set_number, FIELD(user_connections),
	  .max = PER_USER_MAX },
	{ "users", "rate_per_user", ini_set_number, FIELD(user_rate),
	  .max = PER_USER_MAX },
	{ "program \"", "pool", .set = set_pool },
};

/* uid:1000, cgroup:/path, unit:caddy.service */
static int name_program(struct ini *ini, struct policy_program *program, const char *text)
{
	const char *colon = strchr(text, ':'), *name = colon ? colon + 1 : "";

	strcpy(program->name, name); /* which is shorter than `text` */
	if (*name && !strncmp(text, "uid:", 4)) {
		program->kind = PROGRAM_UID;
		strcpy(program->name, text);
		return find_id(PASSWD, name, &program->uid)
			       ? 0
			       : ini_fail(ini, "no user \"%s\" in " PASSWD, name);
	}
	if (*name && !strncmp(text, "cgroup:", 7)) {
		program->kind = PROGRAM_CGROUP;
		return *name == '/' && !strstr(name, "/..")
			       ? 0
			       : ini_fail(ini, "cgroup \"%s\" does not begin with /",
					  name);
	}
	program->kind = PROGRAM_UNIT;
	if (strncmp(text, "unit:", 5) != 0 || !*name || *name == '.' || strchr(name, '/'))
		return ini_fail(ini,
				"[program \"%s\"] is not uid:, cgroup: or unit:", text);
	return strchr(name, '.') ? 0
				 : ini_fail(ini, "unit \"%s\" has no type: %s.service?",
					    name, name);
}

/* A [program "NAME"] section begins. */
static int add_program(struct ini *ini)
{
	struct policy *policy = ini->into;
	struct policy_program *program;
	char text[INI_LINE_MAX];
	int n = 0;

	if (strncmp(ini->section, "program", 7) != 0)
		return 0;
	if (sscanf(ini->section, "program \"%196[^\"]\"%n", text, &n) != 1 || !n ||
	    ini->section[n])
		return ini_fail(ini, "not [program \"NAME\"]");
	if (policy->n_programs == POLICY_PROGRAMS_MAX)
		return ini_fail(ini, "more than %d programs", POLICY_PROGRAMS_MAX);
	program = &policy->programs[policy->n_programs++];
	*program = (struct policy_program){ .line = ini->line };
	return name_program(ini, program, text);
}

static void check_programs(struct ini *ini)
{
	const struct policy *policy = ini->into;
	unsigned int i;

	for (i = 0; i < policy->n_programs; i++) {
		if (policy->programs[i].pool[0])
			continue;
		ini->line = policy->programs[i].line;
		ini_fail(ini, "a [program] without \"pool = FILE\"");
	}
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

int policy_check(const char *path, struct policy *ret_policy, pool_report_fn report,
		 void *user)
{
	struct pool_error why;
	struct ini ini = { .path = path,
			   .keys = keys,
			   .n_keys = sizeof(keys) / sizeof(*keys),
			   .into = ret_policy,
			   .on_section = add_program,
			   .why = &why,
			   .report = report,
			   .user = user };

	policy_default(ret_policy);
	if (ini_read_file(&ini) == 0)
		check_programs(&ini);
	return ini.errors;
}

int policy_load(const char *path, bool needed, struct policy *ret_policy,
		struct pool_error *why)
{
	struct policy policy;
	struct ini ini = { .path = path,
			   .keys = keys,
			   .n_keys = sizeof(keys) / sizeof(*keys),
			   .into = &policy,
			   .on_section = add_program,
			   .why = why };

	policy_default(&policy);
	if (ini_read_file(&ini) == 0)
		check_programs(&ini);
	if (ini.error == -ENOENT && !needed)
		ini.error = 0;
	if (!ini.error)
		*ret_policy = policy;
	return ini.error;
}

static bool list_has(const struct id_list *list, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < list->n; i++)
		if (list->v[i] == id)
			return true;
	return false;
}

bool policy_admits(const struct policy *policy, uid_t uid, const gid_t *gids,
		   unsigned int n_gids)
{
	bool admits = !policy->restricted || uid == 0 || list_has(&policy->users, uid);
	unsigned int i;

	for (i = 0; i < n_gids && !admits; i++)
		admits = list_has(&policy->groups, gids[i]);
	return admits;
}

bool policy_address(const struct policy *policy, const struct mpaddr *addr,
		    const char *dev)
{
	unsigned int i;

	if (policy->addresses.n && !prefix_list_covers(&policy->addresses, NULL, addr))
		return false;
	for (i = 0; i < policy->n_devices; i++)
		if (!strcmp(policy->devices[i], dev))
			return true;
	return !policy->n_devices;
}
