// SPDX-License-Identifier: MIT
/*
 * endpoint.c - parse, check, find, print and edit endpoints
 *
 * The words are those of `ip mptcp endpoint`, and so are the combinations that are
 * refused (mptcp_pm_nl_add_addr_doit()).
 */
#include "endpoint.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS                                                     \
	(MPTCP_PM_ADDR_FLAG_SIGNAL | MPTCP_PM_ADDR_FLAG_SUBFLOW | \
	 MPTCP_PM_ADDR_FLAG_FULLMESH | MPTCP_PM_ADDR_FLAG_LAMINAR)

static const struct {
	const char *word;
	uint32_t flag;
} flags[] = {
	{ "signal", MPTCP_PM_ADDR_FLAG_SIGNAL },
	{ "subflow", MPTCP_PM_ADDR_FLAG_SUBFLOW },
	{ "fullmesh", MPTCP_PM_ADDR_FLAG_FULLMESH },
	{ "laminar", MPTCP_PM_ADDR_FLAG_LAMINAR },
	{ "backup", MPTCP_PM_ADDR_FLAG_BACKUP },
	{ "nofirst", ENDPOINT_NOFIRST },
	{ "metered", ENDPOINT_METERED },
	{ "address", MPTCP_PM_ADDR_FLAG_LAMINAR }, /* older name, accepted only */
};

#define BLANKS	" \t"
#define N_FLAGS (sizeof(flags) / sizeof(*flags))

int pool_error_set(struct pool_error *why, int error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return error;
}

int parse_range(const char *what, const char *text, unsigned int min, unsigned int max,
		unsigned int *ret_value, struct pool_error *why)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return pool_reject(why, "%s \"%s\" is not a number", what, text);
	if (errno || value < min || value > max)
		return pool_reject(why, "%s %s is not in %u-%u", what, text, min, max);
	*ret_value = value;
	return 0;
}

static int parse_address_word(const char *word, struct endpoint *ep,
			      struct pool_error *why)
{
	const uint16_t port = ep->addr.port;
	const struct mpaddr_range *range;

	if (mpaddr_parse(word, &ep->addr) < 0)
		return pool_reject(why, "\"%s\" is not an IPv4 or IPv6 address%s%s", word,
				   strchr(word, '/') ? "; omit " : "",
				   strchr(word, '/') ?: "");
	ep->addr.port = port;
	range = mpaddr_range(&ep->addr);
	if (range && range->kind == MPADDR_NO_HOST)
		return pool_reject(why, "%s cannot be a local address", word);
	return 0;
}

/* Return: 0: not the word of a flag. */
static uint32_t find_flag(const char *word)
{
	unsigned int i;

	for (i = 0; i < N_FLAGS; i++)
		if (!strcmp(word, flags[i].word))
			return flags[i].flag;
	return 0;
}

static int parse_cost(const char *arg, struct endpoint *ep, struct pool_error *why)
{
	unsigned int cost;

	if (ep->flags & ENDPOINT_COST_MASK)
		return pool_reject(why, "duplicate \"cost\"");
	if (parse_range("cost", arg, 0, UINT8_MAX, &cost, why) < 0)
		return -EINVAL;
	ep->flags |= cost << ENDPOINT_COST_SHIFT;
	return 0;
}

/* "dev NAME", "id N", "port N", "cost N"; @arg is NULL at the end of the line. */
static int parse_option(const char *word, const char *arg, struct endpoint *ep,
			struct pool_error *why)
{
	const bool dev = !strcmp(word, "dev"), port = !strcmp(word, "port");
	unsigned int value;

	if (!arg)
		return pool_reject(why, "\"%s\" needs a value", word);
	if (!strcmp(word, "cost"))
		return parse_cost(arg, ep, why);
	if (dev ? *ep->dev : port ? ep->addr.port : ep->local_id)
		return pool_reject(why, "duplicate \"%s\"", word);
	if (dev && (strlen(arg) >= sizeof(ep->dev) || strchr(arg, '/')))
		return pool_reject(why, "\"%s\" is not an interface name", arg);
	if (dev)
		strcpy(ep->dev, arg);
	else if (parse_range(port ? "port" : "local id", arg, 1,
			     port ? UINT16_MAX : UINT8_MAX, &value, why) < 0)
		return -EINVAL;
	else if (port)
		ep->addr.port = value;
	else
		ep->local_id = value;
	return 0;
}

static int check_words(struct endpoint *ep, struct pool_error *why)
{
	const bool signal = ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL;
	const bool all = ep->addr.family == AF_UNSPEC;
	const uint16_t port = ep->addr.port;
	const char *wrong = NULL;

	if (!(ep->flags & KINDS))
		ep->flags |= MPTCP_PM_ADDR_FLAG_LAMINAR;
	if (all && !ep->dev[0])
		wrong = "an endpoint needs a local address or a device";
	else if (all && ep->local_id)
		wrong = "\"id\" is for one address, not for all of a device";
	else if (port && !signal)
		wrong = "\"port\" is for signal endpoints only";
	else if (port && all)
		wrong = "\"port\" is for one address, not for all of a device";
	else if (port && ep->flags & KINDS & ~MPTCP_PM_ADDR_FLAG_SIGNAL)
		wrong = "an endpoint with a port can be signal only";
	else if (signal && ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH)
		wrong = "an endpoint cannot be both signal and fullmesh";
	return wrong ? pool_reject(why, "%s", wrong) : 0;
}

/* "dev=c2" */
static const char *without_dev(const char *word)
{
	return strncmp(word, "dev=", 4) ? word : word + 4;
}

int endpoint_parse(char *words, struct endpoint *ret_ep, struct pool_error *why)
{
	struct endpoint ep = { 0 };
	char *word, *save;
	int r = 0;

	for (word = strtok_r(words, BLANKS, &save); word && r == 0;
	     word = strtok_r(NULL, BLANKS, &save)) {
		if (!strncmp(word, "cost=", 5))
			r = parse_option("cost", word + 5, &ep, why);
		else if (!strcmp(word, "dev") || !strcmp(word, "id") ||
			 !strcmp(word, "port") || !strcmp(word, "cost"))
			r = parse_option(word, strtok_r(NULL, BLANKS, &save), &ep, why);
		else if (ep.addr.family == AF_UNSPEC && strpbrk(word, ".:"))
			r = parse_address_word(word, &ep, why);
		else if (find_flag(word))
			ep.flags |= find_flag(word);
		else
			r = pool_reject(
				why, "unknown word \"%s\" in an endpoint%s%s", word,
				*ep.dev || ep.addr.family ? "" : "; an interface: dev ",
				*ep.dev || ep.addr.family ? "" : without_dev(word));
	}
	if (r == 0)
		r = check_words(&ep, why);
	if (r == 0)
		*ret_ep = ep;
	return r;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
	if (a->section != b->section || a->addr.family != b->addr.family)
		return false;
	if (a->addr.family == AF_UNSPEC)
		return !strcmp(a->dev, b->dev);
	/* As in the kernel, a port makes another endpoint of the same address. */
	return mpaddr_equal(&a->addr, &b->addr);
}

int endpoint_find(const struct pool *pool, const struct endpoint *ep)
{
	unsigned int i;

	for (i = 0; i < pool->n_endpoints; i++)
		if (same_endpoint(&pool->endpoints[i], ep))
			return i;
	return -1;
}

const struct endpoint *pool_find_same(const struct pool *pool,
				      const struct pool *old_pool,
				      const struct endpoint *old)
{
	const struct mpprefix *a, *b = &old_pool->sections[old->section].prefix;
	const struct endpoint *ep;

	for_each_endpoint (pool, ep) {
		a = &pool->sections[ep->section].prefix;
		if (mpaddr_equal(&ep->addr, &old->addr) && a->len == b->len &&
		    mpaddr_equal(&a->addr, &b->addr))
			return ep;
	}
	return NULL;
}

bool pool_has_policy(const struct pool *pool)
{
	const struct endpoint *ep;

	for_each_endpoint (pool, ep)
		if (ep->flags & (ENDPOINT_METERED | ENDPOINT_COST_MASK))
			return true;
	return pool->policy != POLICY_AGGREGATE;
}

void pool_spend(struct pool *pool)
{
	struct endpoint *ep;

	for_each_endpoint (pool, ep)
		if (ep->flags & ENDPOINT_METERED && ep->state <= ENDPOINT_WAITING)
			ep->state = ENDPOINT_SPENT;
}

int endpoint_append(struct pool *pool, const struct endpoint *ep, struct pool_error *why)
{
	const bool all = ep->addr.family == AF_UNSPEC;
	char addr[MPADDR_TEXT_MAX], what[sizeof(addr) + 16], line[32] = "";
	const struct endpoint *other;

	if (pool->n_endpoints == POOL_ENDPOINTS_MAX)
		return pool_reject(why, "more than %d endpoints", POOL_ENDPOINTS_MAX);
	for_each_endpoint (pool, other) {
		if (same_endpoint(other, ep))
			sprintf(what, "endpoint %s%s", all ? "dev " : "",
				all ? ep->dev : mpaddr_text(&ep->addr, addr));
		else if (ep->local_id && other->section == ep->section &&
			 other->local_id == ep->local_id)
			sprintf(what, "local id %u", ep->local_id);
		else
			continue;
		if (other->line)
			sprintf(line, " (first on line %u)", other->line);
		return pool_reject(why, "duplicate %s%s", what, line);
	}
	pool->endpoints[pool->n_endpoints++] = *ep;
	pool->sections[ep->section].kinds |= ep->flags & KINDS;
	return 0;
}

static bool is_id_taken(const struct pool *pool, unsigned int section, unsigned int id)
{
	const struct endpoint *ep;

	for_each_endpoint (pool, ep)
		if (ep->section == section && ep->local_id == id)
			return true;
	return false;
}

void endpoint_assign_ids(struct pool *pool)
{
	struct endpoint *ep;
	unsigned int id;

	for_each_endpoint (pool, ep) {
		if (ep->local_id || ep->addr.family == AF_UNSPEC)
			continue;
		for (id = 1; is_id_taken(pool, ep->section, id); id++)
			;
		ep->local_id = id;
	}
}

const char *endpoint_format(const struct endpoint *ep, char *text)
{
	struct mpaddr ip = ep->addr;
	char addr[MPADDR_TEXT_MAX];
	unsigned int i;
	int n = 0;

	ip.port = 0;
	*text = '\0';
	if (ip.family != AF_UNSPEC)
		n += sprintf(text + n, " %s", mpaddr_text(&ip, addr));
	if (ep->dev[0])
		n += sprintf(text + n, " dev %s", ep->dev);
	if (ep->local_id)
		n += sprintf(text + n, " id %u", ep->local_id);
	if (ep->addr.port)
		n += sprintf(text + n, " port %u", ep->addr.port);
	for (i = 0; i < N_FLAGS - 1; i++)
		if (ep->flags & flags[i].flag)
			n += sprintf(text + n, " %s", flags[i].word);
	if (ep->flags & ENDPOINT_COST_MASK)
		n += sprintf(text + n, " cost %u", ENDPOINT_COST(ep->flags));
	memmove(text, text + 1, n); /* the first blank */
	return text;
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
		for_each_endpoint (resolved, with_id)
			if (with_id->local_id == id && !with_id->section)
				ep = *with_id;
	} else if (endpoint_parse(words, &ep, why) < 0) {
		return -EINVAL;
	}
	found = endpoint_find(spec, &ep);
	return found < 0 ? pool_error_set(why, -ENOENT, "no such endpoint in the pool")
			 : found;
}

/* Take the flags that can change out of @words: those of `ip mptcp`, and `metered`. */
static void take_flags(char *words, uint32_t *ret_set, uint32_t *ret_clear)
{
	const uint32_t known = MPTCP_PM_ADDR_FLAG_BACKUP | MPTCP_PM_ADDR_FLAG_FULLMESH |
			       ENDPOINT_METERED;
	char *end = words, *word, *save;
	uint32_t flag;
	bool clear;

	for (word = strtok_r(words, BLANKS, &save); word;
	     word = strtok_r(NULL, BLANKS, &save)) {
		clear = !strncmp(word, "no", 2);
		flag = find_flag(clear ? word + 2 : word) & known;
		*(clear ? ret_clear : ret_set) |= flag;
		if (flag)
			continue;
		if (end > words)
			*end++ = ' ';
		memmove(end, word, strlen(word) + 1);
		end += strlen(end);
	}
	*end = '\0';
}

static int edit_endpoint(struct pool *spec, const struct pool *resolved, const char *verb,
			 char *words, struct pool_error *why)
{
	const bool change = !strcmp(verb, "change");
	uint32_t set = 0, clear = 0;
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
	if (!change && strcmp(verb, "del") != 0)
		return pool_reject(why, "expected endpoint add, del, change or flush");
	if (change)
		take_flags(words, &set, &clear);
	if (change && !(set | clear))
		return pool_reject(
			why, "only [no]backup, [no]fullmesh and [no]metered can change");
	i = find_words(spec, resolved, words, why);
	if (i < 0)
		return i;
	if (change)
		spec->endpoints[i].flags = (spec->endpoints[i].flags | set) & ~clear;
	else
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
	const struct endpoint *ep;
	const char *object, *verb;
	char *save = NULL;
	unsigned int i;
	int r;

	object = strtok_r(words, BLANKS, &save) ?: "";
	if (!strcmp(object, "limits"))
		return edit_limits(spec, save ?: "", why);
	if (strcmp(object, "endpoint") != 0)
		return pool_reject(why, "expected endpoint or limits");
	verb = strtok_r(NULL, BLANKS, &save) ?: "";
	r = edit_endpoint(spec, resolved, verb, save ?: "", why);
	for (i = 0; i < spec->n_sections; i++)
		spec->sections[i].kinds = 0;
	for_each_endpoint (spec, ep)
		spec->sections[ep->section].kinds |= ep->flags & KINDS;
	return r;
}
