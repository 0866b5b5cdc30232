// SPDX-License-Identifier: MIT
/*
 * parse.c - read a pool file (mptcpaddr.conf(5))
 *
 * The first error ends pool_load(): only a whole, valid pool is returned. pool_check()
 * continues after each error.
 */
#include "endpoint.h"
#include "ini_reader.h"
#include "shim/common/sockopt.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVE_MAX_MS (9 * 3600 * 1000) /* the kernel's is 32767 s */
#define QUOTA_MAX	 UINT64_C(1000000000000000000)
#define RETRY_LONGEST_MS (24 * 3600 * 1000)

struct parser {
	struct ini ini;			/* first: setters get a pointer to it */
	char entered[INI_LINE_MAX + 1]; /* the [section] of the last endpoint line */
	unsigned int section;		/* its index in the pool */
	unsigned int retry_line;	/* of the last time in [retry] */
};

/* A new section for connections to prefix @words. Return: its index; -EINVAL. */
static int add_section(struct ini *ini, const char *words, bool excluded)
{
	struct pool *pool = ini->into;
	char text[MPADDR_TEXT_MAX];
	struct mpprefix prefix;
	unsigned int i;

	if (mpprefix_parse(words, &prefix) < 0)
		return ini_fail(ini, "\"%s\" is not an address prefix", words);
	for (i = 1; i < pool->n_sections; i++)
		if (mpprefix_within(&prefix, &pool->sections[i].prefix) &&
		    mpprefix_within(&pool->sections[i].prefix, &prefix))
			return ini_fail(ini, "duplicate prefix %s/%u (first on line %u)",
					mpaddr_text(&prefix.addr, text), prefix.len,
					pool->sections[i].line);
	if (pool->n_sections == POOL_SECTIONS_MAX)
		return ini_fail(ini, "more than %d prefixes with a pool of their own",
				POOL_SECTIONS_MAX - 1);
	pool->sections[pool->n_sections] = (struct section){ .prefix = prefix,
							     .excluded = excluded,
							     .line = ini->line };
	return pool->n_sections++;
}

/*
 * [pool "10.8.0.0/16"] is for connections to servers there, [pool] for all others.
 * Return: 0, with p->section set; -EINVAL.
 */
static int enter_section(struct parser *p)
{
	struct ini *ini = &p->ini;
	char text[64];
	int n = 0, r;

	if (!strcmp(p->entered, ini->section))
		return 0;
	strcpy(p->entered, ini->section);
	p->section = 0;
	if (!strcmp(ini->section, "pool"))
		return 0;
	if (sscanf(ini->section, "pool \"%63[^\"]\"%n", text, &n) != 1 || !n ||
	    ini->section[n])
		return ini_fail(ini, "[%s] is not [pool \"PREFIX\"]", ini->section);
	r = add_section(ini, text, false);
	if (r < 0)
		return r;
	p->section = r;
	return 0;
}

static int set_endpoint(struct ini *ini, const struct ini_key *key, char *text)
{
	struct parser *p = (struct parser *)ini;
	struct pool_error why;
	struct endpoint ep;

	if (enter_section(p) < 0)
		return -EINVAL;
	if (endpoint_parse(text, &ep, &why) < 0)
		return ini_fail(ini, "%s", why.text);
	ep.line = ini->line;
	ep.section = p->section;
	if (endpoint_append(ini->into, &ep, &why) < 0)
		return ini_fail(ini, "%s", why.text);
	return 0;
}

static int exclude_prefix(struct ini *ini, const struct ini_key *key, char *text)
{
	return add_section(ini, text, true) < 0 ? -EINVAL : 0;
}

/* For the preload library (shim/preload/mode.c); the manager does not need it. */
static int check_option(struct ini *ini, const struct ini_key *key, char *text)
{
	if (sockopt_named(text, text + strlen(text)))
		return 0;
	return ini_fail(ini, "%s \"%s\" is not a socket option such as TCP_USER_TIMEOUT",
			key->name, text);
}

/* "500ms", "1s", "2m"; a bare number is seconds. */
static int set_duration(struct ini *ini, const struct ini_key *key, char *text)
{
	static const struct {
		const char *unit;
		unsigned long ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "", 1000 } };
	const unsigned int n = sizeof(units) / sizeof(*units);
	unsigned long value;
	unsigned int i;
	char *end;

	((struct parser *)ini)->retry_line = ini->line;
	errno = 0;
	value = strtoul(text, &end, 10);
	for (i = 0; i < n && strcmp(end, units[i].unit) != 0; i++)
		;
	if (*text < '0' || *text > '9' || i == n)
		return ini_fail(ini, "%s \"%s\" is not a time such as 500ms, 10s or 2m",
				key->name, text);
	if (errno || !value || value > RETRY_LONGEST_MS / units[i].ms)
		return ini_fail(ini, "%s %s is not in 1ms-24h", key->name, text);
	*(uint32_t *)((char *)ini->into + key->offset) = value * units[i].ms;
	return 0;
}

/* One of three words, by its index. */
static int set_word(struct ini *ini, const struct ini_key *key, const char *text,
		    const char *const words[3])
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (!strcmp(text, words[i])) {
			*(unsigned int *)((char *)ini->into + key->offset) = i;
			return 0;
		}
	return ini_fail(ini, "%s is \"%s\", not %s, %s or %s", key->name, text, words[0],
			words[1], words[2]);
}

static int set_private(struct ini *ini, const struct ini_key *key, char *text)
{
	static const char *const words[] = { [POOL_PRIVATE_SAME] = "same",
					     [POOL_PRIVATE_ALL] = "all",
					     [POOL_PRIVATE_NONE] = "none" };

	return set_word(ini, key, text, words);
}

static int set_first(struct ini *ini, const struct ini_key *key, char *text)
{
	static const char *const words[] = {
		[FIRST_ROUTING] = "routing", [FIRST_POOL] = "pool", [FIRST_RACE] = "race"
	};

	return set_word(ini, key, text, words);
}

static int set_mode(struct ini *ini, const struct ini_key *key, char *text)
{
	static const char *const words[] = { [POLICY_AGGREGATE] = "aggregate",
					     [POLICY_HANDOVER] = "handover",
					     [POLICY_INTERACTIVE] = "interactive" };

	return set_word(ini, key, text, words);
}

/* "5G/month": SI units. */
static int set_quota(struct ini *ini, const struct ini_key *key, char *text)
{
	static const char units[] = "kMGT";
	struct pool *pool = ini->into;
	uint64_t unit = 1000, n;
	const char *at;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	for (at = units; *at && *at != *end; at++)
		unit *= 1000;
	pool->daily = *end && !strcmp(end + 1, "/day");
	if (*text < '0' || *text > '9' || !*at ||
	    (!pool->daily && strcmp(end + 1, "/month") != 0))
		return ini_fail(ini,
				"quota is \"%s\", not a size per day or month, such "
				"as 5G/month (units: k, M, G, T)",
				text);
	if (errno || !n || n > QUOTA_MAX / unit)
		return ini_fail(ini, "quota %s is not in 1k-1000000T", text);
	pool->quota = n * unit;
	return 0;
}

static int set_keepalive_ms(struct ini *ini, const struct ini_key *key, char *text)
{
	const struct pool *pool = ini->into;
	const unsigned int line = ((struct parser *)ini)->retry_line;
	int r = set_duration(ini, key, text);

	((struct parser *)ini)->retry_line = line;
	if (r == 0 &&
	    (pool->keepalive_ms < 1000 || pool->keepalive_ms > KEEPALIVE_MAX_MS))
		return ini_fail(ini, "keepalive %s is not in 1s-9h", text);
	return r;
}

#define FIELD(member) .offset = offsetof(struct pool, member)

static const struct ini_key keys[] = {
	{ "pool", "endpoint", .set = set_endpoint },
	{ "pool \"", "endpoint", .set = set_endpoint },
	{ "limits", "subflows", ini_set_number, FIELD(subflows), .max = POOL_LIMIT_MAX },
	{ "limits", "add_addr_accepted", ini_set_number, FIELD(add_addr_accepted),
	  .max = POOL_LIMIT_MAX },
	{ "accept", "allow", ini_add_prefix, FIELD(allow), .form = INI_WORDS },
	{ "accept", "deny", ini_add_prefix, FIELD(deny), .form = INI_WORDS },
	{ "accept", "private", set_private, FIELD(private) },
	{ "policy", "mode", set_mode, FIELD(policy) },
	{ "policy", "quota", set_quota, FIELD(quota) },
	{ "retry", "first", set_duration, FIELD(retry.first_ms) },
	{ "retry", "max", set_duration, FIELD(retry.max_ms) },
	{ "retry", "tries", ini_set_number, FIELD(retry.tries), .max = 200 },
	{ "app", "mptcp", ini_set_yes_no, FIELD(mptcp) },
	{ "app", "keepalive", set_keepalive_ms, FIELD(keepalive_ms) },
	{ "app", "first", set_first, FIELD(first) },
	{ "app", "exclude", exclude_prefix, .form = INI_WORDS },
	{ "app", "tolerate", check_option, .form = INI_WORDS },
	{ "app", "log", ini_set_log, FIELD(log) },
};

void pool_free(struct pool *pool)
{
	free(pool);
}

/* @text: NULL: read the file. */
static int read_pool(struct parser *p, const char *text, size_t len,
		     struct pool **ret_pool)
{
	struct ini *ini = &p->ini;
	struct pool *pool = malloc(sizeof(*pool));

	if (!pool)
		return pool_error_set(ini->why, -ENOMEM, "%s: no memory", ini->path);
	*pool = (struct pool){
		.n_sections = 1,
		.subflows = POOL_LIMIT_DEFAULT,
		.add_addr_accepted = POOL_LIMIT_DEFAULT,
		.retry = { .first_ms = 1000, .max_ms = 60000, .tries = 10 },
		.mptcp = true,
		.log = LOG_LEVEL_WARNING,
	};
	ini->keys = keys;
	ini->n_keys = sizeof(keys) / sizeof(*keys);
	ini->into = pool;
	if (text)
		ini_read_text(ini, text, len);
	else
		ini_read_file(ini);
	if (!ini->error && pool->retry.first_ms > pool->retry.max_ms) {
		ini->line = p->retry_line;
		ini_fail(ini, "\"first\" is longer than \"max\"");
	}
	if (ini->error && !(ini->report && ini->line)) {
		pool_free(pool);
		return ini->error;
	}
	endpoint_assign_ids(pool);
	*ret_pool = pool;
	return 0;
}

int pool_load(const char *path, struct pool **ret_pool, struct pool_error *why)
{
	return pool_load_text(NULL, 0, path, ret_pool, why);
}

int pool_load_text(const char *text, size_t len, const char *path, struct pool **ret_pool,
		   struct pool_error *why)
{
	struct parser p = { .ini = { .path = path, .why = why } };

	return read_pool(&p, text, len, ret_pool);
}

int pool_check(const char *path, struct pool **ret_pool, pool_report_fn report,
	       void *user)
{
	struct pool_error why;
	struct parser p = {
		.ini = { .path = path, .why = &why, .report = report, .user = user }
	};
	int r = read_pool(&p, NULL, 0, ret_pool);

	return r < 0 ? r : (int)p.ini.errors;
}
