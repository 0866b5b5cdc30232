// SPDX-License-Identifier: MIT
/*
 * message.c - parse random and damaged records
 *
 * Random changes to valid records and to those in corpus/; SEED=N repeats a run. Each
 * buffer is exactly as long as its record, so a sanitizer sees any access beyond it
 * (make check-san).
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "broker.h"
#include "mptcpaddr/pool.h"
#include "tools/mptcpaddrd/message.h"

#define RUNS 300000

static uint64_t seed;

static uint32_t rnd(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % below;
}

static void sow(void)
{
	const char *text = getenv("SEED");

	seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL) * 1000003;
	fprintf(stderr, "message: SEED=%llu\n", (unsigned long long)seed);
	seed |= 1;
}

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

/* Change a few bytes, the length, or a field. */
static size_t mutate(char *data, size_t len, size_t size)
{
	static const uint32_t odd[] = { 0,
					1,
					0x7fffffff,
					0x80000000,
					0xffffffff,
					BROKER_POOL_MAX,
					BROKER_POOL_MAX + 1 };
	const uint32_t value = odd[rnd(sizeof(odd) / sizeof(odd[0]))];
	uint32_t n;

	switch (rnd(5)) {
	case 0:
		return rnd(len + 1);
	case 1:
		n = rnd(size - len);
		memset(data + len, rnd(256), n);
		return len + n;
	case 2:
		if (len >= 16)
			memcpy(data + 4 * rnd(4), &value, 4);
		return len;
	default:
		for (n = 1 + rnd(8); n && len; n--)
			data[rnd(len)] = rnd(256);
		return len;
	}
}

Test(message, random_changes_are_refused_or_sound)
{
	static char whole[BROKER_RECORD_MAX + 4096], data[sizeof(whole)];
	const size_t sound = record_fill(whole, 0x1234, "curl", "/etc/x.conf", POOL_23);
	unsigned int taken = 0;
	size_t len;

	sow();
	cr_assert_str_eq(parse(whole, sound), "");
	for (int i = 0; i < RUNS; i++) {
		len = sound;
		memcpy(data, whole,
		       sizeof(data) < sound + 4096 ? sizeof(data) : sound + 4096);
		for (uint32_t n = 1 + rnd(4); n; n--)
			len = mutate(data, len, sound + 4096);
		taken += !*parse(data, len);
	}
	cr_expect_gt(taken, RUNS / 100, "only %u of %d were accepted", taken, RUNS);
	cr_expect_lt(taken, RUNS, "none was refused");
}

/* Lines, words and bytes of the pool, in any order and number. */
static size_t random_pool(char *text, size_t size)
{
	static const char *const pieces[] = { "[pool]\n",
					      "[pool \"10.0.0.0/8\"]\n",
					      "[limits]\n",
					      "[accept]\n",
					      "[app]\n",
					      "[retry]\n",
					      "endpoint = ",
					      "10.0.2.2 ",
					      "dead:beef::1 ",
					      "dev eth0 ",
					      "id 7 ",
					      "id 300 ",
					      "laminar",
					      "signal port 80",
					      "backup",
					      "fullmesh",
					      "\n",
					      "\n",
					      "\n",
					      "subflows = 3\n",
					      "allow = 0.0.0.0/0\n",
					      "exclude = 10.0.0.0/8 ::/0\n",
					      "first = 1s\n",
					      "=",
					      "[",
					      "\"",
					      ";",
					      "\xef\xbb\xbf",
					      "\x9b",
					      "   " };
	const char *piece;
	size_t len = 0, n;

	for (uint32_t i = rnd(60); i; i--) {
		piece = pieces[rnd(sizeof(pieces) / sizeof(pieces[0]))];
		n = strlen(piece);
		if (len + n + 1 > size)
			break;
		memcpy(text + len, piece, n);
		len += n;
		if (!rnd(10))
			text[len++] = rnd(256);
	}
	return len;
}

Test(message, random_pools_are_refused_with_a_line_or_taken)
{
	unsigned int taken = 0;
	struct pool_error why;
	struct pool *pool;
	char text[4096];

	sow();
	for (int i = 0; i < RUNS / 10; i++) {
		const size_t len = random_pool(text, sizeof(text));
		char *exact = malloc(len ?: 1);
		int r;

		memcpy(exact, text, len);
		why.text[0] = '\0';
		r = pool_load_text(exact, len, "a.conf", &pool, &why);
		free(exact);
		if (r < 0) {
			cr_assert(!strncmp(why.text, "a.conf:", 7), "%d: %s", r,
				  why.text);
			continue;
		}
		taken++;
		cr_assert_leq(pool->n_endpoints, POOL_ENDPOINTS_MAX);
		cr_assert_leq(pool->n_sections, POOL_SECTIONS_MAX);
		for (unsigned int k = 0; k < pool->n_endpoints; k++)
			cr_assert_lt(pool->endpoints[k].section, pool->n_sections);
		pool_free(pool);
	}
	cr_expect(taken > RUNS / 1000 && taken < RUNS / 10, "%u taken", taken);
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
