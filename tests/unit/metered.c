// SPDX-License-Identifier: MIT
/*
 * metered.c - the sum of what metered endpoints have carried, and its file
 */
#include "shim/manager/metered.h"
#include "play.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/metered-XXXXXX", path[64];

static struct pool *open_with(const char *quota, const char *text)
{
	char conf[128];
	FILE *f;

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/metered", dir);
	if (text) {
		snprintf(path, sizeof(path), "%s/metered", dir);
		f = fopen(path, "we");
		cr_assert(f && fputs(text, f) >= 0 && fclose(f) == 0);
	}
	snprintf(conf, sizeof(conf), "[policy]|quota=%s|", quota);
	return pool_from(conf);
}

static void close_with(struct pool *pool)
{
	char part[64];

	pool_free(pool);
	unlink(path);
	for (const char *name = "/a/b\0/a\0"; *name; name += strlen(name) + 1) {
		snprintf(part, sizeof(part), "%s%s", dir, name);
		rmdir(part);
	}
	rmdir(dir);
}

static unsigned int today(void)
{
	return metered_date(time(NULL));
}

/* 1970 to 2199 */
Test(metered, date_is_that_of_libc)
{
	for (time_t at = 86399; at < 84000L * 86400; at += 43200) {
		const struct tm *tm = gmtime(&at);

		cr_assert_eq(metered_date(at), (tm->tm_year + 1900) * 10000 +
						       (tm->tm_mon + 1) * 100 +
						       tm->tm_mday);
	}
}

Test(metered, managers_of_a_user_add_up)
{
	struct pool *pool = open_with("5k/month", NULL);
	struct metered first = { 0 }, second = { 0 }, third = { 0 };

	cr_assert(!metered_serve(&first, pool, 3000, path));
	cr_assert(!metered_serve(&second, pool, 1999, path));
	cr_assert_eq(metered_wait(&second, pool), -1);
	cr_assert(metered_serve(&third, pool, 1, path));
	cr_assert_geq(metered_wait(&third, pool), 0);
	close_with(pool);
}

static void add_thousands(const struct pool *pool)
{
	struct metered m = { 0 };

	for (int i = 0; i < 1000 || m.more; i++) {
		m.next_ms = 0;
		metered_serve(&m, pool, i < 1000 ? 1000 : 0, path);
	}
	_exit(0);
}

Test(metered, managers_that_write_at_the_same_time_lose_nothing)
{
	struct pool *pool = open_with("5M/month", NULL);
	struct metered m = { 0 };

	for (int i = 0; i < 5; i++)
		if (fork() == 0)
			add_thousands(pool);
	for (int i = 0, status = -1; i < 5; i++)
		cr_assert(wait(&status) > 0 && status == 0);
	cr_assert(metered_serve(&m, pool, 0, path));
	cr_assert_eq(m.this_month, 5000000);
	close_with(pool);
}

static void starts_with(const char *quota, int days_ago, bool spent)
{
	struct metered m = { 0 };
	struct pool *pool;
	char text[64];

	snprintf(text, sizeof(text), "%u 900 5000\n", today() - days_ago);
	pool = open_with(quota, text);
	cr_assert_eq(metered_serve(&m, pool, 0, path), spent);
	close_with(pool);
}

Test(metered, day_and_month_have_their_own_sums)
{
	starts_with("5k/month", 0, true);
}

Test(metered, day_counts_for_itself)
{
	starts_with("5k/day", 0, false);
}

Test(metered, new_month_starts_at_zero)
{
	starts_with("5k/month", 100, false); /* by its number: the month before */
}

Test(metered, other_units_are_those_of_the_si)
{
	struct pool *pool = open_with("2M/day", NULL);

	cr_assert_eq(pool->quota, 2000000);
	cr_assert(pool->daily);
	close_with(pool);
}

Test(metered, broken_file_is_left_alone_and_counted_in_memory)
{
	struct pool *pool = open_with("1k/day", "nonsense\n");
	struct metered m = { 0 };
	char text[16] = "";
	FILE *f;

	cr_assert(!metered_serve(&m, pool, 600, path));
	cr_assert(metered_serve(&m, pool, 400, path));
	f = fopen(path, "re");
	cr_assert(f && fgets(text, sizeof(text), f) && fclose(f) == 0);
	cr_assert_str_eq(text, "nonsense\n");
	close_with(pool);
}

Test(metered, without_a_file_it_counts_in_memory)
{
	struct pool *pool = open_with("1k/day", NULL);
	struct metered m = { 0 };

	cr_assert(!metered_serve(&m, pool, 999, ""));
	cr_assert(metered_serve(&m, pool, 1, ""));
	close_with(pool);
}

Test(metered, removed_file_starts_again)
{
	struct pool *pool = open_with("5k/month", NULL);
	struct metered m = { 0 };

	cr_assert(metered_serve(&m, pool, 5000, path));
	unlink(path);
	m.next_ms = 0;
	cr_assert(!metered_serve(&m, pool, 0, path));
	close_with(pool);
}

Test(metered, empty_file_that_cannot_be_written_is_not_a_new_one)
{
	struct pool *pool = open_with("5k/month", NULL);
	const struct rlimit none = { 0, RLIM_INFINITY };
	struct metered m = { 0 };

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_assert(!metered_serve(&m, pool, 3000, path));
	cr_assert_eq(access(path, F_OK), 0);
	m.next_ms = 0;
	cr_assert(metered_serve(&m, pool, 2000, path));
	close_with(pool);
}

Test(metered, clock_that_is_set_back_changes_nothing)
{
	starts_with("5k/month", -100, true);
}
