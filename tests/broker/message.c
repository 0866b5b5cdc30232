// SPDX-License-Identifier: MIT
/*
 * message.c - parse the records in corpus/, some damaged
 *
 * Each buffer is exactly as long as its record, so a sanitizer sees any access beyond it
 * (make check-san). tests/fuzz/record.c changes them.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "tools/mptcpaddrd/message.h"

/* Accepted records keep the promises of their type. */
static void is_sound(const struct record *record, size_t len)
{
	const struct broker_program *id = &record->program;

	cr_assert(record->head.token || record->head.magic == BROKER_MAGIC_FIRST);
	cr_assert_lt(strnlen(id->program, sizeof(id->program)), sizeof(id->program));
	cr_assert_lt(strnlen(id->path, sizeof(id->path)), sizeof(id->path));
	cr_assert_neq(id->program[0], '\0');
	for (const char *c = id->program; *c; c++)
		cr_assert(isprint((unsigned char)*c) && *c != '/');
	for (const char *c = id->path; *c; c++)
		cr_assert(isprint((unsigned char)*c));
	cr_assert_leq(record->head.pool_len, BROKER_POOL_MAX);
	cr_assert_eq(offsetof(struct record, pool) + record->head.pool_len, len);
}

/* Return: the reason of a refusal; "": accepted. */
static const char *parse(const char *data, size_t len)
{
	void *exact = malloc(len ?: 1);
	const char *why;

	memcpy(exact, data, len);
	why = record_check(exact, len);
	if (!why)
		is_sound(exact, len);
	free(exact);
	return why ?: "";
}

/* The file's name begins with the expected result. */
Test(message, corpus_gives_the_expected_results)
{
	static const struct {
		const char *prefix, *why;
	} wanted[] = { { "ok-", "" },
		       { "length-", "a record of the wrong length" },
		       { "form-", "not a registration record" },
		       { "version-", "a record of another version" },
		       { "sense-", "a record with impossible values" } };
	char path[PATH_MAX], file[PATH_MAX + 300], data[BROKER_RECORD_MAX * 2];
	struct dirent *entry;
	unsigned int files = 0;
	DIR *dir = opendir(built("tests/broker-corpus", path, sizeof(path)));

	cr_assert(dir, "%s", path);
	while ((entry = readdir(dir))) {
		FILE *f;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		f = fopen(file, "re");
		cr_assert(f);
		len = fread(data, 1, sizeof(data), f);
		fclose(f);
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			if (strncmp(entry->d_name, wanted[i].prefix,
				    strlen(wanted[i].prefix)) != 0)
				continue;
			files++;
			cr_expect_str_eq(parse(data, len), wanted[i].why, "%s",
					 entry->d_name);
		}
	}
	closedir(dir);
	cr_expect_geq(files, 12, "%u files", files);
}
