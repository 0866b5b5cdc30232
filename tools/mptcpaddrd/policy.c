// SPDX-License-Identifier: MIT
/*
 * policy.c - /etc/mptcpaddr/broker.conf: what the administrator lets users do
 */
#include "policy.h"
#include "shim/pool/endpoint.h"
#include "shim/pool/ini_reader.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Not getpwnam(): name services come as libraries and talk to daemons, and when
 * the file is read again a system call filter is in force.
 */
static bool find_user(const char *name, uid_t *ret_uid)
{
	struct passwd *entry;
	bool found = false;
	struct pool_error why;
	FILE *f;

	if (number_parse("", name, 0, UINT32_MAX - 1, ret_uid, &why) == 0)
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
	struct pool_error why;
	FILE *f;

	if (number_parse("", name, 0, UINT32_MAX - 1, ret_gid, &why) == 0)
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
	strcpy(policy->devices[policy->n_devices++], word);
	return 0;
}

static int add_user(struct ini *ini, const struct ini_key *key, char *word)
{
	struct policy *policy = ini->into;

	if (policy->n_uids == POLICY_IDS_MAX)
		return ini_fail(ini, "more than %d users", POLICY_IDS_MAX);
	if (!find_user(word, &policy->uids[policy->n_uids]))
		return ini_fail(ini, "no user \"%s\" in /etc/passwd", word);
	policy->n_uids++;
	policy->restricted = true;
	return 0;
}

static int add_group(struct ini *ini, const struct ini_key *key, char *word)
{
	struct policy *policy = ini->into;

	if (policy->n_gids == POLICY_IDS_MAX)
		return ini_fail(ini, "more than %d groups", POLICY_IDS_MAX);
	if (!find_group(word, &policy->gids[policy->n_gids]))
		return ini_fail(ini, "no group \"%s\" in /etc/group", word);
	policy->n_gids++;
	policy->restricted = true;
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
	{ "broker", "log", ini_set_log, FIELD(log) },
	{ "users", "users", add_user, .form = INI_SOME_WORDS },
	{ "users", "groups", add_group, .form = INI_SOME_WORDS },
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
static int name_program(struct ini *ini, struct policy_program *program, char *text)
{
	char *colon = strchr(text, ':');
	const char *name = colon ? colon + 1 : "";

	if (!*name)
		return ini_fail(ini,
				"[program \"%s\"] is not uid:, cgroup: or unit:", text);
	*colon = '\0';
	strcpy(program->name, name); /* which is shorter than `text` */
	if (!strcmp(text, "uid")) {
		program->kind = PROGRAM_UID;
		if (!find_user(name, &program->uid))
			return ini_fail(ini, "no user \"%s\" in /etc/passwd", name);
		snprintf(program->name, sizeof(program->name), "uid:%.200s", name);
		return 0;
	}
	if (!strcmp(text, "cgroup")) {
		program->kind = PROGRAM_CGROUP;
		return *name == '/' && !strstr(name, "/..")
			       ? 0
			       : ini_fail(ini, "cgroup \"%s\" does not begin with /",
					  name);
	}
	program->kind = PROGRAM_UNIT;
	if (strcmp(text, "unit") != 0 || strchr(name, '/') || *name == '.')
		return ini_fail(ini,
				"[program \"%s:%s\"] is not uid:, cgroup: or unit:", text,
				name);
	if (!strchr(name, '.'))
		return ini_fail(ini, "unit \"%s\" has no type: %s.service?", name, name);
	return 0;
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

int policy_load(const char *path, bool needed, struct policy *ret_policy,
		struct pool_error *why)
{
	struct ini ini = { .path = path, .keys = keys, .why = why };
	struct policy *policy = malloc(sizeof(*policy));

	if (!policy)
		return pool_error_set(why, -ENOMEM, "%s: no memory", path);
	policy_default(policy);
	ini.n_keys = sizeof(keys) / sizeof(*keys);
	ini.into = policy;
	ini.on_section = add_program;
	if (ini_read_file(&ini) == 0)
		check_programs(&ini);
	if (ini.error == -ENOENT && !needed)
		ini.error = 0;
	if (!ini.error)
		*ret_policy = *policy;
	free(policy);
	return ini.error;
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
