// SPDX-License-Identifier: MIT
/*
 * parse.c - pool files: fixtures/good-*.conf, one file for each fault, pool_check()
 */
#include "faults.h"
#include "mptcpaddr/pool.h"
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURES "tests/unit/fixtures/"

static struct pool *load(const char *path)
{
	struct pool_error why = { "" };
	struct pool *pool = NULL;

	cr_assert_eq(pool_load(path, &pool, &why), 0, "%s", why.text);
	cr_assert(pool);
	return pool;
}

static void is_endpoint(const struct pool *pool, unsigned int i, const char *addr,
			int local_id, uint32_t flags, const char *dev)
{
	const struct endpoint *ep = &pool->endpoints[i];
	struct mpaddr expected = at(addr);

	cr_assert_lt(i, pool->n_endpoints);
	cr_assert(mpaddr_equal(&ep->addr, &expected), "endpoint %u is not %s", i, addr);
	cr_assert_eq(ep->local_id, local_id, "%s: ID %u", addr, ep->local_id);
	cr_assert_eq(ep->flags, flags, "%s: flags %u", addr, ep->flags);
	cr_assert_str_eq(ep->dev, dev);
}

static void is_plain(const char *path)
{
	const uint32_t laminar = MPTCP_PM_ADDR_FLAG_LAMINAR;
	struct pool *pool = load(path);

	cr_assert_eq(pool->n_endpoints, 3);
	is_endpoint(pool, 0, "10.0.1.2", 1, laminar, "eth1");
	is_endpoint(pool, 1, "[2001:db8::2]", 7, laminar | MPTCP_PM_ADDR_FLAG_SUBFLOW,
		    "");
	is_endpoint(pool, 2, "10.0.3.2", 2, laminar | MPTCP_PM_ADDR_FLAG_BACKUP, "");
	cr_assert_eq(pool->subflows, 3);
	cr_assert_eq(pool->add_addr_accepted, 4);
	cr_assert_eq(pool->allow.n, 2);
	cr_assert_eq(pool->deny.n, 1);
	cr_assert_eq(pool->log, LOG_LEVEL_DEBUG);
	cr_assert(pool->mptcp);
	pool_free(pool);
}

Test(parse, every_word_of_a_good_file_arrives)
{
	is_plain(FIXTURES "good-plain.conf");
}

Test(parse, lines_may_end_in_cr_lf)
{
	is_plain(FIXTURES "good-crlf.conf");
}

Test(parse, empty_file_gives_the_defaults)
{
	struct pool *pool = load(FIXTURES "good-empty.conf");

	cr_assert_eq(pool->n_endpoints, 0);
	cr_assert_eq(pool->subflows, POOL_LIMIT_DEFAULT);
	cr_assert_eq(pool->add_addr_accepted, POOL_LIMIT_DEFAULT);
	cr_assert_eq(pool->allow.n + pool->deny.n, 0);
	cr_assert_eq(pool->log, LOG_LEVEL_WARNING);
	cr_assert(pool->mptcp);
	pool_free(pool);
}

Test(parse, file_may_have_10000_lines)
{
	static char text[64 + 10000] = "[limits]\nsubflows = 3\n";
	struct pool_error why = { "" };
	struct pool *pool;

	memset(text + strlen(text), '\n', 9998);
	cr_assert_eq(pool_load_text(text, strlen(text), "long", &pool, &why), 0, "%s",
		     why.text);
	cr_assert_eq(pool->subflows, 3);
	pool_free(pool);
	strcat(text, "\n");
	cr_assert_eq(pool_load_text(text, strlen(text), "long", &pool, &why), -EINVAL);
	cr_assert_str_eq(why.text, "long:10001: more than 10000 lines");
}

Test(parse, layout_of_a_file_is_free)
{
	static const struct {
		const char *file;
		unsigned int endpoints;
	} files[] = {
		{ "good-bom.conf", 1 },		 { "good-leading-blanks.conf", 2 },
		{ "good-comments.conf", 2 },	 { "good-no-final-newline.conf", 2 },
		{ "good-colon.conf", 1 },	 { "good-sections-twice.conf", 2 },
		{ "good-longest-line.conf", 1 }, { "good-64-endpoints.conf", 64 },
	};
	struct pool *pool;
	char path[256];
	unsigned int i;

	for (i = 0; i < sizeof(files) / sizeof(*files); i++) {
		snprintf(path, sizeof(path), FIXTURES "%s", files[i].file);
		pool = load(path);
		cr_assert_eq(pool->n_endpoints, files[i].endpoints, "%s", path);
		is_endpoint(pool, 0, i == 7 ? "10.1.0.2" : "10.0.1.2", 1,
			    MPTCP_PM_ADDR_FLAG_LAMINAR, "");
		pool_free(pool);
	}
}

Test(parse, endpoints_without_an_id_get_the_lowest_free_ones)
{
	static const int local_ids[] = { 2, 1, 4, 3, 5, 255 };
	struct pool *pool = load(FIXTURES "good-ids.conf");
	unsigned int i;

	cr_assert_eq(pool->n_endpoints, 6);
	for (i = 0; i < 6; i++)
		cr_assert_eq(pool->endpoints[i].local_id, local_ids[i]);
	pool_free(pool);
}

Test(parse, sample_files_are_valid)
{
	DIR *dir = opendir("config");
	struct dirent *entry;
	unsigned int n = 0;
	char path[512];

	cr_assert(dir);
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf") ||
		    !strcmp(entry->d_name, "broker.conf")) /* another format */
			continue;
		snprintf(path, sizeof(path), "config/%s", entry->d_name);
		pool_free(load(path));
		n++;
	}
	closedir(dir);
	cr_assert_gt(n, 0);
}

/* Fails as it must, and gives nothing else away. */
static void is_refused(const char *path, int error, const char *expected)
{
	struct pool *pool = (struct pool *)&pool;
	struct pool_error why = { "" };

	cr_expect_eq(pool_load(path, &pool, &why), error, "%s: %s", path, why.text);
	cr_expect_str_eq(why.text, expected);
	cr_expect_eq((void *)pool, (void *)&pool, "%s: written without success", path);
}

Test(parse, every_fault_is_reported_with_its_line)
{
	char path[256], expected[512];
	unsigned int i;

	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		snprintf(path, sizeof(path), FIXTURES "%s", faults[i].file);
		snprintf(expected, sizeof(expected), "%s:%u: %s", path, faults[i].line,
			 faults[i].text);
		is_refused(path, -EINVAL, expected);
	}
}

Test(parse, every_fixture_is_used)
{
	DIR *dir = opendir(FIXTURES);
	unsigned int i, n = sizeof(faults) / sizeof(*faults);
	struct dirent *entry;

	cr_assert(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_type != DT_REG || !strncmp(entry->d_name, "good-", 5))
			continue;
		for (i = 0; i < n && strcmp(faults[i].file, entry->d_name); i++)
			;
		cr_expect_lt(i, n, "%s has no message", entry->d_name);
	}
	closedir(dir);
}

/* A folder of our own for what git cannot keep. */
static const char *folder(char path[])
{
	strcpy(path, "/tmp/mptcpaddr-unit.XXXXXX");
	cr_assert(mkdtemp(path));
	return path;
}

Test(parse, irregular_file_is_refused_without_blocking, .timeout = 10)
{
	char dir[64], path[128], expected[256];

	folder(dir);
	snprintf(path, sizeof(path), "%s/pool.conf", dir);
	snprintf(expected, sizeof(expected), "%s: No such file or directory", path);
	is_refused(path, -ENOENT, expected);
	cr_assert_eq(mkfifo(path, 0600), 0);
	snprintf(expected, sizeof(expected), "%s: not a regular file", path);
	is_refused(path, -EINVAL, expected);
	unlink(path);
	snprintf(expected, sizeof(expected), "%s: not a regular file", dir);
	is_refused(dir, -EINVAL, expected);
	is_refused("/dev/zero", -EINVAL, "/dev/zero: not a regular file");
	rmdir(dir);
}

/* Root may read everything: give that up, in a child. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	cr_assert_eq(syscall(SYS_capset, &head, none), 0);
}

Test(parse, unreadable_file_is_reported)
{
	char dir[64], path[128], expected[256];
	int fd;

	folder(dir);
	snprintf(path, sizeof(path), "%s/pool.conf", dir);
	fd = open(path, O_CREAT | O_WRONLY, 0);
	cr_assert_geq(fd, 0);
	close(fd);
	drop_capabilities();
	snprintf(expected, sizeof(expected), "%s: Permission denied", path);
	is_refused(path, -EACCES, expected);
	unlink(path);
	rmdir(dir);
}

static unsigned int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

Test(parse, no_descriptor_is_left_open)
{
	unsigned int before = open_files();
	struct pool_error why;
	struct pool *pool;

	pool_load(FIXTURES "nul.conf", &pool, &why);
	pool_load(FIXTURES "no-equals.conf", &pool, &why);
	pool_load("/tmp", &pool, &why);
	pool_free(load(FIXTURES "good-plain.conf"));
	cr_assert_eq(open_files(), before);
}

Test(parse, long_path_does_not_overflow_the_message)
{
	struct pool_error why;
	struct pool *pool;
	char path[2000];
	size_t len;

	memset(path, '/', sizeof(path));
	cr_assert(getcwd(path + 900, sizeof(path) - 900));
	len = 900 + strlen(path + 900);
	snprintf(path + len, sizeof(path) - len, "/" FIXTURES "unknown-word.conf");
	cr_assert_eq(pool_load(path, &pool, &why), -EINVAL);
	cr_assert_lt(strlen(why.text), sizeof(why.text));
	cr_assert_eq(why.text[0], '/');
}

static char reports[4096];

static void add_report(void *user, const char *text)
{
	cr_assert_eq(user, reports);
	strcat(reports, strrchr(text, '/') + 1);
	strcat(reports, "\n");
}

static int check_text(const char *text, size_t len, struct pool **ret)
{
	int fd = memfd_create("pool", MFD_CLOEXEC), r;
	char path[64];

	reports[0] = '\0';
	*ret = NULL;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	r = pool_check(path, ret, add_report, reports);
	for (char *p = reports; *p; p++) /* the descriptor's number is not of interest */
		if ((p == reports || p[-1] == '\n') && strchr(p, ':'))
			memmove(p, strchr(p, ':'), strlen(strchr(p, ':')) + 1);
	close(fd);
	return r;
}

Test(parse, every_error_is_reported_in_order)
{
	static const char text[] =
		"\xef\xbb\xbf[pool]\nendpoint = 10.0.2.1 wobbly\nno sense\n"
		"endpoint = 10.0.3.1\n\001\nendpoint = 10.0.4.1 id 300\n"
		"[limits]\nsubflows = x\n[nothing]\na = b\n";
	struct pool *pool;

	cr_assert_eq(check_text(text, sizeof(text) - 1, &pool), 6, "%s", reports);
	cr_assert_str_eq(reports,
			 ":2: unknown word \"wobbly\" in an endpoint\n"
			 ":3: neither \"name = value\" nor \"[section]\"\n"
			 ":5: a control character\n"
			 ":6: local id 300 is not in 1-255\n"
			 ":8: subflows \"x\" is not a number\n"
			 ":9: unknown section [nothing]\n",
			 "%s", reports);
	cr_assert_eq(pool->n_endpoints, 1);
	pool_free(pool);
}

Test(parse, good_file_has_no_errors)
{
	static const char text[] = "[pool]\nendpoint = 10.0.2.1\n";
	struct pool *pool;

	cr_assert_eq(check_text(text, sizeof(text) - 1, &pool), 0);
	cr_assert_eq(pool->n_endpoints, 1);
	pool_free(pool);
}

Test(parse, file_with_a_nul_and_a_long_line_is_read_to_its_end)
{
	static char text[600] = "[pool]\nendpoint = 10.0.2.1\n";
	struct pool *pool;
	size_t len = strlen(text);

	memset(text + len, 'x', 300);
	strcpy(text + len + 300, "\nendpoint = 10.0.3.1\n");
	len = strlen(text);
	text[len++] = '\0';
	text[len++] = '\n';
	cr_assert_eq(check_text(text, len, &pool), 2, "%s", reports);
	cr_assert_eq(pool->n_endpoints, 2);
	pool_free(pool);
}

Test(parse, unreadable_file_is_reported_by_check)
{
	struct pool *pool = NULL;

	reports[0] = '\0';
	cr_assert_eq(pool_check("/nowhere/at-all.conf", &pool, add_report, reports),
		     -ENOENT);
	cr_assert_str_eq(reports, "at-all.conf: No such file or directory\n");
	reports[0] = '\0';
	cr_assert_eq(pool_check("/proc/self", &pool, add_report, reports), -EINVAL);
	cr_assert_eq(pool_check("/proc/self/mem", &pool, add_report, reports), -EIO);
	cr_assert_null(pool);
}

Test(parse, text_in_memory_is_a_pool_too)
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

Test(parse, number_of_sections_is_limited)
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

Test(parse, longest_prefix_is_a_section)
{
	static const char text[] =
		"[pool \"2001:0db8:0001:0002:0003:0004:0005:0006/128\"]\n"
		"endpoint=10.0.2.1\n";
	struct pool_error why = { "" };
	struct pool *pool;

	cr_assert_eq(pool_load_text(text, strlen(text), "x", &pool, &why), 0, "%s",
		     why.text);
	cr_assert_eq(pool->n_sections, 2);
	cr_assert_eq(pool->sections[1].prefix.len, 128);
	pool_free(pool);
}

Test(parse, odd_times_and_sections_are_refused)
{
	static const char *const bad[] = {
		"[retry]\nfirst = 99999999999999999999s\n",
		"[retry]\nfirst = :1s\n",
		"[retry]\nfirst = -1s\n",
		"[retry]\nfirst =\n",
		"[limits]\nsubflows = 99999999999999999999\n",
		"[limits]\nsubflows = :\n",
		"[pool \"10.8.0.0/16\" x]\nendpoint = 10.0.1.1\n",
		"[pool \"\"]\nendpoint = 10.0.1.1\n",
	};
	struct pool_error why;
	struct pool *pool;

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(
			pool_load_text(bad[i], strlen(bad[i]), "/a/b.conf", &pool, &why),
			-EINVAL, "%s", bad[i]);
}
