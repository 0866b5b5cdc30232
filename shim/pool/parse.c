// SPDX-License-Identifier: MIT
/*
 * parse.c - read a pool file (DESIGN.md, 5)
 *
 * inih splits lines into sections, names and values; its reader here counts the lines
 * and refuses what inih would cut or glue together. The first error ends the reading:
 * only a whole, valid pool leaves pool_load(). pool_check() goes on behind each error.
 */
#include "endpoint.h"
#include "mptcpaddr/pool.h"

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
#define NOT_SPLIT "neither \"name = value\" nor \"[section]\""

struct parser {
	FILE *file;
	const char *path;
	struct pool *pool;
	struct pool_error *why;
	unsigned int line;
	int error; /* -errno, of `line`; nothing is read any more, unless for `report` */
	pool_report_fn report; /* pool_check(); NULL: pool_load() */
	void *user;
	unsigned int errors;	 /* that were reported */
	char entered[64];	 /* the [section] of the pair before */
	unsigned int section;	 /* of endpoint lines */
	unsigned int retry_line; /* of a time in [retry] */
};

struct key {
	const char *section, *name;
	int (*set)(struct parser *p, const char *name, char *value);
};

void pool_error_at(struct pool_error *why, const char *path, unsigned int line,
		   const char *fmt, va_list ap)
{
	const size_t size = sizeof(why->text);
	int n = snprintf(why->text, size, "%s:%u: ", path, line);

	if (n > 0 && (size_t)n < size)
		vsnprintf(why->text + n, size - n, fmt, ap);
}

/* Fail at the current line. Return: -EINVAL, for the caller to return. */
__attribute__((format(printf, 2, 3))) static int bad(struct parser *p, const char *fmt,
						     ...)
{
	va_list ap;

	if (p->error)
		return p->error;
	va_start(ap, fmt);
	pool_error_at(p->why, p->path, p->line, fmt, ap);
	va_end(ap);
	if (p->report)
		p->report(p->user, p->why->text);
	p->errors++;
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

static int set_endpoint(struct parser *p, const char *name, char *value)
{
	struct pool_error why;
	struct endpoint ep;

	if (endpoint_parse(value, &ep, &why) < 0)
		return bad(p, "%s", why.text);
	ep.line = p->line;
	ep.section = p->section;
	if (endpoint_append(p->pool, &ep, &why) < 0)
		return bad(p, "%s", why.text);
	return 0;
}

/* A new section for connections to @prefix. Return: its index; -EINVAL. */
static int section_add(struct parser *p, const struct mpprefix *prefix, bool excluded)
{
	struct pool *pool = p->pool;
	char text[MPADDR_TEXT_MAX];
	unsigned int i;

	for (i = 1; i < pool->n_sections; i++)
		if (mpprefix_within(prefix, &pool->sections[i].prefix) &&
		    mpprefix_within(&pool->sections[i].prefix, prefix))
			return bad(p, "prefix %s/%u is at line %u already",
				   mpaddr_text(&prefix->addr, text), prefix->len,
				   pool->sections[i].line);
	if (pool->n_sections == POOL_SECTIONS_MAX)
		return bad(p, "more than %d prefixes with a pool of their own",
			   POOL_SECTIONS_MAX - 1);
	pool->sections[pool->n_sections] = (struct section){ .prefix = *prefix,
							     .excluded = excluded,
							     .line = p->line };
	return pool->n_sections++;
}

static int set_limit(struct parser *p, const char *name, char *value)
{
	unsigned int *limit = !strcmp(name, "subflows") ? &p->pool->subflows
							: &p->pool->add_addr_accepted;

	return parse_number(p, name, value, 0, POOL_LIMIT_MAX, limit);
}

static int add_to_list(struct parser *p, const char *name, const struct mpprefix *prefix)
{
	struct prefix_list *list = *name == 'a' ? &p->pool->allow : &p->pool->deny;

	if (list->n == POOL_PREFIXES_MAX)
		return bad(p, "more than %d prefixes in \"%s\"", POOL_PREFIXES_MAX, name);
	list->v[list->n++] = *prefix;
	return 0;
}

/* allow, deny and exclude */
static int set_prefixes(struct parser *p, const char *name, char *value)
{
	struct mpprefix prefix;
	char *word, *save;
	int r;

	for (word = strtok_r(value, " \t,", &save); word;
	     word = strtok_r(NULL, " \t,", &save)) {
		if (mpprefix_parse(word, &prefix) < 0)
			return bad(p, "\"%s\" is not an address prefix", word);
		r = *name == 'e' ? section_add(p, &prefix, true)
				 : add_to_list(p, name, &prefix);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "500ms", "1s", "2m"; a bare number is seconds. */
static int parse_duration(struct parser *p, const char *what, const char *text,
			  uint32_t *ret_ms)
{
	static const struct {
		const char *unit;
		unsigned long ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "", 1000 } };
	unsigned long value;
	unsigned int i;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].unit))
			break;
	if (*text < '0' || *text > '9' || i == sizeof(units) / sizeof(*units))
		return bad(p, "%s \"%s\" is not a time such as 500ms, 10s or 2m", what,
			   text);
	if (errno || !value || value > POOL_RETRY_LONGEST_MS / units[i].ms)
		return bad(p, "%s %s is not in 1ms-24h", what, text);
	*ret_ms = value * units[i].ms;
	return 0;
}

static int set_retry(struct parser *p, const char *name, char *value)
{
	struct pool_retry *retry = &p->pool->retry;

	if (!strcmp(name, "tries"))
		return parse_number(p, name, value, 0, POOL_RETRY_TRIES_MAX,
				    &retry->tries);
	p->retry_line = p->line;
	return parse_duration(p, name, value,
			      !strcmp(name, "first") ? &retry->first_ms : &retry->max_ms);
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
	{ "retry", "first", set_retry },
	{ "retry", "max", set_retry },
	{ "retry", "tries", set_retry },
	{ "app", "mptcp", set_mptcp },
	{ "app", "exclude", set_prefixes },
	{ "app", "log", set_log },
};

/*
 * [pool "10.8.0.0/16"] is for connections to servers there, [pool] for all others.
 * Return: 0, with p->section set; -EINVAL.
 */
static int section_enter(struct parser *p, const char *section)
{
	struct mpprefix prefix;
	char text[64];
	int n = 0, r;

	if (!strcmp(p->entered, section))
		return 0;
	snprintf(p->entered, sizeof(p->entered), "%s", section);
	p->section = 0;
	if (strncmp(section, "pool \"", 6) != 0)
		return 0;
	if (sscanf(section, "pool \"%63[^\"]\"%n", text, &n) != 1 || !n || section[n])
		return bad(p, "[%s] is not [pool \"PREFIX\"]", section);
	if (mpprefix_parse(text, &prefix) < 0)
		return bad(p, "\"%s\" is not an address prefix", text);
	r = section_add(p, &prefix, false);
	if (r < 0)
		return r;
	p->section = r;
	return 0;
}

/* inih's handler. Return: 1 to go on, 0 for an error. */
static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct parser *p = user;
	bool known = false;
	char copy[512];
	unsigned int i;

	if (p->error || section_enter(p, section) < 0)
		return 0;
	if (p->section)
		section = "pool";
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

/* inih's handler for a line alone. */
static int on_any_pair(void *user, const char *section, const char *name,
		       const char *value)
{
	return 1;
}

/* Whether inih can split this line; of a whole file it tells the first one only. */
static bool splits(const struct parser *p, const char *line)
{
	char alone[512];

	/* It would take a byte order mark at the first line. */
	snprintf(alone, sizeof(alone), "%s%s", p->line > 1 ? "\n" : "", line);
	return ini_parse_string(alone, on_any_pair, NULL) == 0;
}

/* In place of a line that is wrong, for inih: an empty one, or NULL: the end. */
static char *skip_line(struct parser *p, char *text)
{
	int c;

	if (!p->report)
		return NULL;
	while ((c = getc(p->file)) != EOF && c != '\n')
		;
	memcpy(text, "\n", 2);
	return text;
}

/*
 * One line for inih, without what would make it a continuation of the line before
 * (leading blanks). NULL: end of file, or an error that is in the parser by then.
 */
static char *read_line(char *text, int size, void *user)
{
	struct parser *p = user;
	int n = 0, c;

	if (p->report && p->error == -EINVAL)
		p->error = 0; /* of the line before */
	if (p->error)
		return NULL;
	if (++p->line > LINES_MAX && getc(p->file) != EOF)
		return bad(p, "more than %d lines", LINES_MAX), NULL;
	while ((c = getc(p->file)) != EOF && c != '\n') {
		if (!n && (c == ' ' || c == '\t' || c == '\r'))
			continue;
		if (!c || n >= size - 2) {
			bad(p, c ? "longer than %d characters" : "a NUL character",
			    size - 3);
			return skip_line(p, text);
		}
		/* To inih, form feeds are blanks too; to mode.c they are not. */
		if (c < ' ' && c != '\t' && c != '\r')
			return bad(p, "a control character"), skip_line(p, text);
		text[n++] = c;
	}
	if (ferror(p->file)) {
		p->error = -EIO;
		snprintf(p->why->text, sizeof(p->why->text), "%s: %s", p->path,
			 strerror(EIO));
		if (p->report)
			p->report(p->user, p->why->text);
		return NULL;
	}
	if (c == EOF && !n)
		return NULL;
	text[n++] = '\n';
	text[n] = '\0';
	if (p->report && !splits(p, text))
		bad(p, NOT_SPLIT);
	return text;
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
	if (bad_line > 0 && !p->report &&
	    (!p->error || (unsigned int)bad_line < p->line)) {
		p->error = 0;
		p->line = bad_line;
		return bad(p, NOT_SPLIT);
	}
	if (p->error)
		return p->error;
	if (p->pool->retry.first_ms > p->pool->retry.max_ms) {
		p->line = p->retry_line;
		return bad(p, "\"first\" is longer than \"max\"");
	}
	endpoint_number(p->pool);
	return 0;
}

/* From p->file if that is open already. */
static int read_pool(struct parser *p)
{
	int r;

	p->pool = calloc(1, sizeof(*p->pool));
	if (!p->file)
		p->file = p->pool ? open_regular(p->path) : NULL;
	if (!p->file || !p->pool) {
		r = -errno;
		snprintf(p->why->text, sizeof(p->why->text), "%s: %s", p->path,
			 strerror(-r));
		if (p->report)
			p->report(p->user, p->why->text);
		return r;
	}
	pool_default(p->pool);
	r = parse_file(p);
	fclose(p->file);
	return r;
}

int pool_load(const char *path, struct pool **ret_pool, struct pool_error *why)
{
	struct parser p = { .path = path, .why = why };
	int r = read_pool(&p);

	if (r < 0) {
		pool_free(p.pool);
		return r;
	}
	*ret_pool = p.pool;
	return 0;
}

int pool_load_text(const char *text, size_t len, const char *path, struct pool **ret_pool,
		   struct pool_error *why)
{
	struct parser p = { .path = path, .why = why };
	int r;

	/* It only reads; and takes no buffer of 0 bytes. */
	p.file = fmemopen(len ? (void *)(uintptr_t)text : "\n", len ?: 1, "rb");
	if (!p.file) {
		snprintf(why->text, sizeof(why->text), "%s: %s", path, strerror(errno));
		return -errno;
	}
	r = read_pool(&p);
	if (r < 0) {
		pool_free(p.pool);
		return r;
	}
	*ret_pool = p.pool;
	return 0;
}

int pool_check(const char *path, struct pool **ret_pool, pool_report_fn report,
	       void *user)
{
	struct pool_error why;
	struct parser p = { .path = path, .why = &why, .report = report, .user = user };
	int r = read_pool(&p);

	if (r < 0 && !p.errors) {
		pool_free(p.pool);
		return r;
	}
	*ret_pool = p.pool;
	return p.errors;
}
