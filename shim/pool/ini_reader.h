/* SPDX-License-Identifier: MIT */
/*
 * ini_reader.h - read an ini file by a table of its keys
 */
#pragma once

#include "mptcpaddr/pool.h"

#define INI_LINE_MAX 197 /* characters; inih takes no more than 198 */

struct ini;

enum ini_form {
	INI_VALUE,
	INI_WORDS,	/* set() is called for each word, split at blanks and commas */
	INI_SOME_WORDS, /* likewise, at least one */
};

struct ini_key {
	const char *section; /* `name "`: any [name "TEXT"] */
	const char *name;
	/* Return: 0, or what ini_fail() returned. @text may be changed. */
	int (*set)(struct ini *ini, const struct ini_key *key, char *text);
	size_t offset; /* of the field in `into`, for ini_set_*() */
	unsigned int max;
	enum ini_form form;
};

struct ini {
	const char *path;
	const struct ini_key *keys;
	unsigned int n_keys;
	void *into;
	/* Called for each "[section]", known or not; may be NULL. */
	int (*on_section)(struct ini *ini);
	struct pool_error *why;
	pool_report_fn report; /* called for every error; NULL: the first one ends */
	void *user;

	/* For the setters to read. */
	unsigned int line;
	char section[INI_LINE_MAX + 1];
	unsigned int section_line; /* 0: none yet */
	unsigned int errors;

	int error; /* -errno, of `line` */
};

/*
 * ini_read_text() - parse the @len bytes of ini->path that the caller has
 *
 * Keys may repeat. Return: 0 (with ini->report, even after bad lines); -EINVAL for a bad
 * line. ini->why is filled on failure.
 */
int ini_read_text(struct ini *ini, const char *text, size_t len);

/* ini_file_error() - the text for an -errno of reading a file; -EINVAL: not regular. */
const char *ini_file_error(int r);
/* ini_read_file() - read and parse ini->path. Return: likewise; other -errno. */
int ini_read_file(struct ini *ini);

/* ini_fail() - report "FILE:LINE: MESSAGE" for ini->line. Return: -EINVAL. */
__attribute__((format(printf, 2, 3))) int ini_fail(struct ini *ini, const char *fmt, ...);

/* Setters: unsigned int from 0 to key->max; bool; enum log_level; struct prefix_list. */
int ini_set_number(struct ini *ini, const struct ini_key *key, char *text);
int ini_set_yes_no(struct ini *ini, const struct ini_key *key, char *text);
int ini_set_log(struct ini *ini, const struct ini_key *key, char *text);
int ini_add_prefix(struct ini *ini, const struct ini_key *key, char *text);
