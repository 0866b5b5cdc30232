// SPDX-License-Identifier: MIT
/*
 * quota.c - [policy] quota: changes while a program runs, files of no use
 *
 * See policy.c for links on which a quota is used up.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "metered.h"
#include "net.h"

#define FILE_NAME      "/var/lib/mptcpaddr/metered.0"
#define METERED(quota) "[pool]\nendpoint = 10.0.2.2 subflow metered\n[policy]\n" quota
#define PAIR	       "10.0.2.2-10.0.1.1"
#define SYNC_MS	       300 /* programs write the file four times a second */

static void quota_open(struct net *n, const struct net_spec *spec)
{
	cr_assert_eq(metered_mount(), 0);
	cr_assert_eq(metered_write(0, 0, "1000000"), 0);
	net_start(n, spec, FROM_POOL);
	net_pairs_are(n, "");
}

Test(quota, changes_take_effect_in_a_running_program)
{
	static const struct net_spec spec = { .pool_text = METERED("quota=1M/month\n") };
	struct net n;

	NEED_SANDBOX();
	quota_open(&n, &spec);
	net_pool_text(&n, METERED("quota=2M/month\n"));
	net_pairs_become(&n, PAIR);
	net_pool_text(&n, METERED("quota=1M/day\n"));
	net_pairs_become(&n, "");
	net_pool_text(&n, METERED("mode=aggregate\n"));
	net_pairs_become(&n, PAIR);
	net_pool_text(&n, METERED("quota=1M/month\n"));
	net_pairs_become(&n, "");
	net_carries_data(&n);
	net_close(&n);
}

Test(quota, new_month_brings_the_paths_back)
{
	static const struct net_spec spec = { .pool_text = METERED("quota=1M/month\n") };
	struct net n;

	NEED_SANDBOX();
	quota_open(&n, &spec);
	cr_assert_eq(metered_write(0, 20260131, "1000000"), 0);
	net_pairs_become(&n, PAIR);
	net_carries_data(&n);
	net_close(&n);
}

static void nonsense(void)
{
	const int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, "nonsense\n", 9) == 9 && close(fd) == 0);
}

static void read_only(void)
{
	cr_assert_eq(mount(NULL, "/var/lib", NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
}

static void full(void)
{
	const int fd = open("/var/lib/full", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	char page[4096] = "";

	cr_assert_eq(mount(NULL, "/var/lib", NULL, MS_REMOUNT, "size=64k"), 0);
	while (write(fd, page, sizeof(page)) > 0)
		;
	close(fd);
}

static void directory(void)
{
	cr_assert_eq(mkdir(FILE_NAME, 0700), 0);
}

static void fifo(void)
{
	cr_assert_eq(mkfifo(FILE_NAME, 0600), 0);
}

static void elsewhere(void)
{
	cr_assert_eq(symlink("/var/lib/other", FILE_NAME), 0);
}

static int times(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* The program goes on, and its log has one line. */
static void file_is(void (*make)(void))
{
	static const struct net_spec spec = {
		.pool_text = "[pool]\nendpoint = 10.0.1.2 subflow metered\n"
			     "[policy]\nquota = 1G/day\n"
	};
	struct net n;

	NEED_SANDBOX();
	cr_assert_eq(metered_mount(), 0);
	make();
	setenv("MPTCPADDR_LOG", "warning", 1);
	net_start(&n, &spec, FROM_POOL);
	for (int i = 0; i < 3; i++) {
		net_carries_data(&n);
		nap_ms(SYNC_MS);
	}
	cr_assert_eq(times(proc_errors(&n.client), "quota: other programs do not see"), 1,
		     "%s", proc_errors(&n.client));
	net_close(&n);
}

Test(quota, file_of_nonsense)
{
	file_is(nonsense);
}

Test(quota, file_in_a_read_only_file_system)
{
	file_is(read_only);
}

Test(quota, file_in_a_full_file_system)
{
	file_is(full);
}

Test(quota, file_that_is_a_directory)
{
	file_is(directory);
}

Test(quota, file_that_is_a_fifo)
{
	file_is(fifo);
}

Test(quota, file_that_is_a_symbolic_link)
{
	file_is(elsewhere);
}
