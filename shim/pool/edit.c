// SPDX-License-Identifier: MIT
/*
 * edit.c - change a pool at run time, in the words of `ip mptcp`
 */
#include "endpoint.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t"

/* The kinds that are left in each section. */
static void update_kinds(struct pool *spec)
{
	const struct endpoint *ep;
	unsigned int i;

	for (i = 0; i < spec->n_sections; i++)
		spec->sections[i].kinds = 0;
	for_each_endpoint(spec, ep) spec->sections[ep->section].kinds |=
		ep->flags & ~MPTCP_PM_ADDR_FLAG_BACKUP;
}

/*
 * "id N" alone, as `ip mptcp endpoint del` takes it, or the words of the endpoint.
 * Return: its index in @spec; -EINVAL, -ENOENT.
 */
static int find_words(const struct pool *spec, const struct pool *resolved, char *words,
		      struct pool_error *why)
{
	struct endpoint ep = { 0 };
	const struct endpoint *with_id;
	int end = 0, found;
	unsigned int id;

	if (sscanf(words, "id %u%n", &id, &end) == 1 && !words[end]) {
		for_each_endpoint(resolved, with_id) if (with_id->local_id == id &&
							 !with_id->section) ep = *with_id;
	} else if (endpoint_parse(words, &ep, why) < 0) {
		return -EINVAL;
	}
	found = endpoint_find(spec, &ep);
	return found < 0 ? pool_error_set(why, -ENOENT, "no such endpoint in the pool")
			 : found;
}

/* Take the flags that `ip mptcp endpoint change` knows out of @words. */
static void take_flags(char *words, uint32_t *ret_set, uint32_t *ret_clear)
{
	static const struct {
		const char *word;
		uint32_t set, clear;
	} flags[] = {
		{ "backup", MPTCP_PM_ADDR_FLAG_BACKUP, 0 },
		{ "nobackup", 0, MPTCP_PM_ADDR_FLAG_BACKUP },
		{ "fullmesh", MPTCP_PM_ADDR_FLAG_FULLMESH, 0 },
		{ "nofullmesh", 0, MPTCP_PM_ADDR_FLAG_FULLMESH },
	};
	char *end = words, *word, *save;
	unsigned int i;

	for (word = strtok_r(words, BLANKS, &save); word;
	     word = strtok_r(NULL, BLANKS, &save)) {
		for (i = 0; i < 4 && strcmp(word, flags[i].word) != 0; i++)
			;
		if (i < 4) {
			*ret_set |= flags[i].set;
			*ret_clear |= flags[i].clear;
			continue;
		}
		if (end > words)
			*end++ = ' ';
		memmove(end, word, strlen(word) + 1);
		end += strlen(end);
	}
	*end = '\0';
}

static int change_endpoint(struct pool *spec, const struct pool *resolved, char *words,
			   struct pool_error *why)
{
	uint32_t set = 0, clear = 0, *flags;
	int i;

	take_flags(words, &set, &clear);
	if (!(set | clear))
		return pool_reject(why, "only [no]backup and [no]fullmesh can change");
	i = find_words(spec, resolved, words, why);
	if (i < 0)
		return i;
	flags = &spec->endpoints[i].flags;
	*flags = (*flags | set) & ~clear;
	return 0;
}

static int edit_endpoint(struct pool *spec, const struct pool *resolved, const char *verb,
			 char *words, struct pool_error *why)
{
	struct endpoint ep = { 0 };
	int i;

	if (!strcmp(verb, "flush")) {
		if (words[strspn(words, BLANKS)])
			return pool_reject(why, "flush takes no address");
		spec->n_endpoints = 0;
		return 0;
	}
	if (!strcmp(verb, "add")) {
		if (endpoint_parse(words, &ep, why) < 0 ||
		    endpoint_append(spec, &ep, why) < 0)
			return -EINVAL;
		endpoint_assign_ids(spec); /* they stay when others are deleted */
		return 0;
	}
	if (!strcmp(verb, "change"))
		return change_endpoint(spec, resolved, words, why);
	if (strcmp(verb, "del") != 0)
		return pool_reject(why, "expected endpoint add, del, change or flush");
	i = find_words(spec, resolved, words, why);
	if (i < 0)
		return i;
	memmove(&spec->endpoints[i], &spec->endpoints[i + 1],
		(--spec->n_endpoints - i) * sizeof(*spec->endpoints));
	return 0;
}

static int edit_limits(struct pool *spec, char *words, struct pool_error *why)
{
	const char *word, *value;
	unsigned int *limit;
	char *save;

	for (word = strtok_r(words, BLANKS, &save); word;
	     word = strtok_r(NULL, BLANKS, &save)) {
		value = strtok_r(NULL, BLANKS, &save);
		if (!strcmp(word, "subflows"))
			limit = &spec->subflows;
		else if (!strcmp(word, "add_addr_accepted"))
			limit = &spec->add_addr_accepted;
		else
			return pool_reject(
				why, "expected limits subflows N add_addr_accepted N");
		if (!value)
			return pool_reject(why, "\"%s\" needs a value", word);
		if (parse_range(word, value, 0, POOL_LIMIT_MAX, limit, why) < 0)
			return -EINVAL;
	}
	return 0;
}

int pool_edit(struct pool *spec, const struct pool *resolved, char *words,
	      struct pool_error *why)
{
	const char *object, *verb;
	char *save = NULL;
	int r;

	object = strtok_r(words, BLANKS, &save) ?: "";
	if (!strcmp(object, "limits"))
		return edit_limits(spec, save ?: "", why);
	if (strcmp(object, "endpoint") != 0)
		return pool_reject(why, "expected endpoint or limits");
	verb = strtok_r(NULL, BLANKS, &save) ?: "";
	r = edit_endpoint(spec, resolved, verb, save ?: "", why);
	if (r == 0)
		update_kinds(spec);
	return r;
}
