// SPDX-License-Identifier: MIT
/*
 * endpoint.c - the words of endpoints, there and back; every error of a file at once
 */
#include "play.h"
#include "shim/pool/endpoint.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

Test(endpoint, endpoint_has_the_same_words_again)
{
	static const char *const same[] = {
		"10.0.2.1 laminar",
		"10.0.2.1 dev eth1 laminar backup",
		"2001:db8::1 id 7 subflow laminar",
		"dev wwan0 laminar",
		"10.0.4.1 id 255 port 8443 signal",
		"10.0.4.1 subflow fullmesh",
		"10.0.4.1 signal subflow backup",
	};
	char words[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
	struct pool_error why;
	struct endpoint ep;

	for (unsigned int i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		strcpy(words, same[i]);
		cr_assert_eq(endpoint_parse(words, &ep, &why), 0, "%s", why.text);
		cr_assert_str_eq(endpoint_format(&ep, text), same[i]);
	}
}

Test(endpoint, address_is_a_synonym)
{
	char words[] = "10.0.2.1 address", text[ENDPOINT_TEXT_MAX];
	struct pool_error why;
	struct endpoint ep;

	cr_assert_eq(endpoint_parse(words, &ep, &why), 0);
	cr_assert_str_eq(endpoint_format(&ep, text), "10.0.2.1 laminar");
}

Test(endpoint, added_endpoint_meets_an_id_without_a_line)
{
	struct pool *pool = pool_from("[pool]\nendpoint=10.0.2.1 id 3\n");
	struct endpoint ep = { .addr = at("10.0.3.1"), .local_id = 3 };
	struct pool_error why;

	pool->endpoints[0].line = 0; /* added while running */
	cr_assert_eq(endpoint_append(pool, &ep, &why), -EINVAL);
	cr_assert_str_eq(why.text, "duplicate local id 3");
	ep.section = 1;
	pool->n_sections = 2;
	cr_assert_eq(endpoint_append(pool, &ep, &why), 0);
	pool_free(pool);
}

static char reports[4096];

static void report(void *user, const char *text)
{
	cr_assert_eq(user, reports);
	strcat(reports, strrchr(text, '/') + 1);
	strcat(reports, "\n");
}

static int check(const char *text, size_t len, struct pool **ret)
{
	int fd = memfd_create("pool", MFD_CLOEXEC), r;
	char path[64];

	reports[0] = '\0';
	*ret = NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	r = pool_check(path, ret, report, reports);
	for (char *p = reports; *p; p++) /* the descriptor's number is not of interest */
		if ((p == reports || p[-1] == '\n') && strchr(p, ':'))
			memmove(p, strchr(p, ':'), strlen(strchr(p, ':')) + 1);
	close(fd);
	return r;
}

Test(endpoint, every_error_is_reported_in_order)
{
	static const char text[] =
		"\xef\xbb\xbf[pool]\nendpoint = 10.0.2.1 wobbly\nno sense\n"
		"endpoint = 10.0.3.1\n\001\nendpoint = 10.0.4.1 id 300\n"
		"[limits]\nsubflows = x\n[nothing]\na = b\n";
	struct pool *pool;

	cr_assert_eq(check(text, sizeof(text) - 1, &pool), 6, "%s", reports);
	cr_assert_str_eq(reports,
			 ":2: unknown word \"wobbly\" in an endpoint\n"
			 ":3: neither \"name = value\" nor \"[section]\"\n"
			 ":5: a control character\n"
			 ":6: local id 300 is not in 1-255\n"
			 ":8: subflows \"x\" is not a number\n"
			 ":10: unknown section [nothing]\n",
			 "%s", reports);
	cr_assert_eq(pool->n_endpoints, 1);
	pool_free(pool);
}

Test(endpoint, good_file_has_no_errors)
{
	static const char text[] = "[pool]\nendpoint = 10.0.2.1\n";
	struct pool *pool;

	cr_assert_eq(check(text, sizeof(text) - 1, &pool), 0);
	cr_assert_eq(pool->n_endpoints, 1);
	pool_free(pool);
}

Test(endpoint, file_with_a_nul_and_a_long_line_is_read_to_its_end)
{
	static char text[600] = "[pool]\nendpoint = 10.0.2.1\n";
	struct pool *pool;
	size_t len = strlen(text);

	memset(text + len, 'x', 300);
	strcpy(text + len + 300, "\nendpoint = 10.0.3.1\n");
	len = strlen(text);
	text[len++] = '\0';
	text[len++] = '\n';
	cr_assert_eq(check(text, len, &pool), 2, "%s", reports);
	cr_assert_eq(pool->n_endpoints, 2);
	pool_free(pool);
}

Test(endpoint, file_that_cannot_be_read_is_reported)
{
	struct pool *pool = NULL;

	reports[0] = '\0';
	cr_assert_eq(pool_check("/nowhere/at-all.conf", &pool, report, reports), -ENOENT);
	cr_assert_str_eq(reports, "at-all.conf: No such file or directory\n");
	reports[0] = '\0';
	cr_assert_eq(pool_check("/proc/self", &pool, report, reports), -EINVAL);
	cr_assert_eq(pool_check("/proc/self/mem", &pool, report, reports), -EIO);
	cr_assert_null(pool);
}

Test(endpoint, text_that_somebody_else_read_is_a_pool_too)
{
	static const char good[] = "[pool]\nendpoint=10.0.2.1\n", bad[] = "[pool]\nx\n";
	struct pool_error why;
	struct pool *pool;

	cr_assert_eq(pool_load_text(good, strlen(good), "/a/b.conf", &pool, &why), 0);
	cr_assert_eq(pool->n_endpoints, 1);
	pool_free(pool);
	cr_assert_eq(pool_load_text("", 0, "/a/b.conf", &pool, &why), 0);
	cr_assert_eq(pool->n_endpoints, 0);
	pool_free(pool);
	cr_assert_eq(pool_load_text(bad, strlen(bad), "/a/b.conf", &pool, &why), -EINVAL);
	cr_assert(strstr(why.text, "b.conf:2: "), "%s", why.text);
}

Test(endpoint, sections_have_an_end)
{
	struct pool_error why;
	struct pool *pool;
	char text[2048] = "[app]\nexclude =";

	for (int i = 0; i < POOL_SECTIONS_MAX / 4; i++)
		sprintf(text + strlen(text),
			"%s 10.%d.0.0/16 11.%d.0.0/16 12.%d.0.0/16 "
			"13.%d.0.0/16\n",
			i ? "exclude =" : "", i, i, i, i);
	cr_assert_eq(pool_load_text(text, strlen(text), "/a/b.conf", &pool, &why),
		     -EINVAL);
	cr_assert(strstr(why.text, "more than 31 prefixes with a pool of their own"),
		  "%s", why.text);
}
