// SPDX-License-Identifier: MIT
/*
 * config.c - read a pool file (DESIGN.md, 5)
 *
 * inih splits lines into sections, names and values; its reader here counts the lines
 * and refuses what inih would cut or glue together. The first error ends the reading:
 * only a whole, valid pool leaves this file.
 */
#include "mptcpaddr/pool.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 10000 /* of one file */

struct parser {
	FILE *file;
	const char *path;
	struct pool *pool;
	struct pool_error *why;
	unsigned int line;
	int error; /* -errno, of `line`; nothing is read any more */
	unsigned int id_lines[POOL_ENDPOINTS_MAX]; /* of an explicit ID; 0: none */
};

struct key {
	const char *section, *name;
	int (*set)(struct parser *p, const char *name, char *value);
};

/* Fail at the current line. Return: -EINVAL, for the caller to return. */
__attribute__((format(printf, 2, 3))) static int bad(struct parser *p, const char *fmt,
						     ...)
{
	va_list ap;
	int n;

	if (p->error)
		return p->error;
	n = snprintf(p->why->text, sizeof(p->why->text), "%s:%u: ", p->path, p->line);
	if (n > 0 && (size_t)n < sizeof(p->why->text)) {
		va_start(ap, fmt);
		vsnprintf(p->why->text + n, sizeof(p->why->text) - n, fmt, ap);
		va_end(ap);
	}
	return p->error = -EINVAL;
}

static int parse_number(struct parser *p, const char *what, const char *text,
			unsigned int min, unsigned int max, unsigned int *ret_value)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		return bad(p, "%s \"%s\" is not a number", what, text);
	if (errno || value < min || value > max)
		return bad(p, "%s %s is not in %u-%u", what, text, min, max);
	*ret_value = value;
	return 0;
}

static int parse_address(struct parser *p, const char *word, struct endpoint *ep)
{
	static const struct mpprefix never[] = {
		{ { .family = AF_INET, .v6.s6_addr = { 0 } }, 8 },
		{ { .family = AF_INET, .v6.s6_addr = { 224 } }, 4 },
		{ { .family = AF_INET, .v6.s6_addr = { 255, 255, 255, 255 } }, 32 },
		{ { .family = AF_INET6, .v6.s6_addr = { 0 } }, 128 },
		{ { .family = AF_INET6, .v6.s6_addr = { 0xff } }, 8 },
	};
	unsigned int i;

	if (mpaddr_parse(word, &ep->addr) < 0)
		return bad(p, "\"%s\" is not an IPv4 or IPv6 address", word);
	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (mpprefix_covers(&never[i], &ep->addr))
			return bad(p, "%s cannot be a local address", word);
	return 0;
}

static int parse_flag(struct parser *p, const char *word, struct endpoint *ep)
{
	if (!strcmp(word, "laminar") || !strcmp(word, "address"))
		ep->flags |= MPTCP_PM_ADDR_FLAG_LAMINAR;
	else if (!strcmp(word, "subflow"))
		ep->flags |= MPTCP_PM_ADDR_FLAG_SUBFLOW;
	else if (!strcmp(word, "backup"))
		ep->flags |= MPTCP_PM_ADDR_FLAG_BACKUP;
	else if (!strcmp(word, "signal") || !strcmp(word, "fullmesh") ||
		 !strcmp(word, "port"))
		return bad(p, "\"%s\" endpoints are not served by this version", word);
	else
		return bad(p, "unknown word \"%s\" in an endpoint", word);
	return 0;
}

/* "dev NAME" and "id N"; @arg is NULL at the end of the line. */
static int parse_option(struct parser *p, const char *word, const char *arg,
			struct endpoint *ep)
{
	unsigned int local_id;

	if (!arg)
		return bad(p, "\"%s\" wants a value", word);
	if (!strcmp(word, "id")) {
		if (ep->local_id)
			return bad(p, "\"id\" is there twice");
		if (parse_number(p, "local id", arg, 1, UINT8_MAX, &local_id) < 0)
			return p->error;
		ep->local_id = local_id;
		return 0;
	}
	if (ep->dev[0])
		return bad(p, "\"dev\" is there twice");
	if (strlen(arg) >= sizeof(ep->dev) || strchr(arg, '/'))
		return bad(p, "\"%s\" is not an interface name", arg);
	memcpy(ep->dev, arg, strlen(arg) + 1);
	return 0;
}

static int endpoint_check(struct parser *p, struct endpoint *ep)
{
	const struct endpoint *other = p->pool->endpoints;
	char text[MPADDR_TEXT_MAX];
	unsigned int i;

	if (ep->addr.family == AF_UNSPEC)
		return bad(p, "an endpoint needs a local address");
	if (!(ep->flags & ~MPTCP_PM_ADDR_FLAG_BACKUP))
		ep->flags |= MPTCP_PM_ADDR_FLAG_LAMINAR;
	if (!(ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR))
		return bad(
			p,
			"\"subflow\" without \"laminar\" is not served by this version");
	for (i = 0; i < p->pool->n_endpoints; i++, other++) {
		if (mpaddr_same_ip(&other->addr, &ep->addr))
			return bad(p, "endpoint %s is there twice",
				   mpaddr_text(&ep->addr, text));
		if (ep->local_id && other->local_id == ep->local_id)
			return bad(p, "local id %u is used at line %u already",
				   ep->local_id, p->id_lines[i]);
	}
	return 0;
}

static int set_endpoint(struct parser *p, const char *name, char *value)
{
	struct endpoint ep = { 0 };
	char *word, *save;
	int r = 0;

	if (p->pool->n_endpoints == POOL_ENDPOINTS_MAX)
		return bad(p, "more than %d endpoints", POOL_ENDPOINTS_MAX);
	for (word = strtok_r(value, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (!strcmp(word, "dev") || !strcmp(word, "id"))
			r = parse_option(p, word, strtok_r(NULL, " \t", &save), &ep);
		else if (ep.addr.family == AF_UNSPEC && strpbrk(word, ".:"))
			r = parse_address(p, word, &ep);
		else
			r = parse_flag(p, word, &ep);
		if (r < 0)
			return r;
	}
	r = endpoint_check(p, &ep);
	if (r < 0)
		return r;
	if (ep.local_id)
		p->id_lines[p->pool->n_endpoints] = p->line;
	p->pool->endpoints[p->pool->n_endpoints++] = ep;
	return 0;
}

static int set_limit(struct parser *p, const char *name, char *value)
{
	unsigned int *limit = !strcmp(name, "subflows") ? &p->pool->subflows
							: &p->pool->add_addr_accepted;

	return parse_number(p, name, value, 0, POOL_LIMIT_MAX, limit);
}

static int set_prefixes(struct parser *p, const char *name, char *value)
{
	struct prefix_list *list = *name == 'a' ? &p->pool->allow : &p->pool->deny;
	char *word, *save;

	for (word = strtok_r(value, " \t,", &save); word;
	     word = strtok_r(NULL, " \t,", &save)) {
		if (list->n == POOL_PREFIXES_MAX)
			return bad(p, "more than %d prefixes in \"%s\"",
				   POOL_PREFIXES_MAX, name);
		if (mpprefix_parse(word, &list->v[list->n]) < 0)
			return bad(p, "\"%s\" is not an address prefix", word);
		list->n++;
	}
	return 0;
}

static int set_mptcp(struct parser *p, const char *name, char *value)
{
	if (strcmp(value, "yes") && strcmp(value, "no"))
		return bad(p, "mptcp is \"%s\", not yes or no", value);
	p->pool->mptcp = !strcmp(value, "yes");
	return 0;
}

static int set_log(struct parser *p, const char *name, char *value)
{
	static const char *const levels[] = { "error", "warning", "info", "debug" };
	unsigned int i;

	for (i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (!strcmp(value, levels[i])) {
			p->pool->log = i;
			return 0;
		}
	}
	return bad(p, "log is \"%s\", not error, warning, info or debug", value);
}

static const struct key keys[] = {
	{ "pool", "endpoint", set_endpoint },
	{ "limits", "subflows", set_limit },
	{ "limits", "add_addr_accepted", set_limit },
	{ "accept", "allow", set_prefixes },
	{ "accept", "deny", set_prefixes },
	{ "app", "mptcp", set_mptcp },
	{ "app", "log", set_log },
};

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
		if (strlen(value) >= sizeof(copy))
			return bad(p, "too long a value"), 0;
		memcpy(copy, value, strlen(value) + 1);
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

/*
 * One line for inih, without what would make it a continuation of the line before
 * (leading blanks). NULL: end of file, or an error that is in the parser by then.
 */
static char *read_line(char *text, int size, void *user)
{
	struct parser *p = user;
	int n = 0, c;

	if (p->error || ++p->line > LINES_MAX)
		return p->error ? NULL : (bad(p, "more than %d lines", LINES_MAX), NULL);
	while ((c = getc(p->file)) != EOF && c != '\n') {
		if (!n && (c == ' ' || c == '\t' || c == '\r'))
			continue;
		if (!c || n >= size - 2) {
			bad(p, c ? "longer than %d characters" : "a NUL character",
			    size - 3);
			return NULL;
		}
		/* To inih, form feeds are blanks too; to mode.c they are not. */
		if (c < ' ' && c != '\t' && c != '\r')
			return bad(p, "a control character"), NULL;
		text[n++] = c;
	}
	if (ferror(p->file)) {
		p->error = -EIO;
		snprintf(p->why->text, sizeof(p->why->text), "%s: %s", p->path,
			 strerror(EIO));
		return NULL;
	}
	if (c == EOF && !n)
		return NULL;
	text[n++] = '\n';
	text[n] = '\0';
	return text;
}

/* Endpoints without an ID get the lowest free ones, in the order of the file. */
static void number_endpoints(struct pool *pool)
{
	bool used[UINT8_MAX + 1] = { false };
	unsigned int i, next = 1;

	for (i = 0; i < pool->n_endpoints; i++)
		used[pool->endpoints[i].local_id] = true;
	for (i = 0; i < pool->n_endpoints; i++) {
		if (pool->endpoints[i].local_id)
			continue;
		while (used[next])
			next++;
		pool->endpoints[i].local_id = next;
		used[next] = true;
	}
}

static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	FILE *file;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

static int parse_file(struct parser *p)
{
	int bad_line = ini_parse_stream(read_line, p, on_pair, p);

	if (bad_line < 0)
		return -ENOMEM;
	/* inih goes on after a line that it cannot split: the first error counts. */
	if (bad_line > 0 && (!p->error || (unsigned int)bad_line < p->line)) {
		p->error = 0;
		p->line = bad_line;
		return bad(p, "neither \"name = value\" nor \"[section]\"");
	}
	if (p->error)
		return p->error;
	number_endpoints(p->pool);
	return 0;
}

int pool_load(const char *path, struct pool **ret_pool, struct pool_error *why)
{
	struct parser p = { .path = path, .why = why };
	int r;

	p.pool = calloc(1, sizeof(*p.pool));
	p.file = p.pool ? open_regular(path) : NULL;
	if (!p.file) {
		r = -errno;
		snprintf(why->text, sizeof(why->text), "%s: %s", path, strerror(errno));
		pool_free(p.pool);
		return r;
	}
	p.pool->subflows = POOL_LIMIT_DEFAULT;
	p.pool->add_addr_accepted = POOL_LIMIT_DEFAULT;
	p.pool->mptcp = true;
	p.pool->log = LOG_LEVEL_WARNING;
	r = parse_file(&p);
	fclose(p.file);
	if (r < 0) {
		pool_free(p.pool);
		return r;
	}
	*ret_pool = p.pool;
	return 0;
}
