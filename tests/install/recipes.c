// SPDX-License-Identifier: MIT
/*
 * recipes.c - the recipes of packaging/ build complete packages, as far as Debian can
 * tell
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "skip.h"

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
/* If CFLAGS are not those of the recipe, it compiles everything. */
#define RECIPE_MS 300000
#define SLOW	  .timeout = 320

/* Return: the files of the packages; the caller frees it. */
static char *packages(const char *kind)
{
	struct proc p;
	char *out, *err, build[PATH_MAX];
	int r;

	built("", build, sizeof(build));
	cr_assert_eq(
		proc_start(&p, NULL, ARGS("tests/install/recipe", kind, build), NULL), 0);
	proc_eof(&p);
	r = proc_wait(&p, RECIPE_MS);
	out = proc_output(&p);
	err = proc_errors(&p);
	cr_assert_eq(r, 0, "%s: %d: %s", kind, r, err);
	free(err);
	proc_end(&p);
	return out;
}

Test(recipes, arch_package_is_complete, SLOW)
{
	static const char *const files[] = {
		"644 mptcpaddr/etc/mptcpaddr/broker.conf\n",
		"644 mptcpaddr/etc/mptcpaddr/default.conf\n",
		"644 mptcpaddr/etc/sysctl.d/90-mptcpaddr.conf\n",
		"755 mptcpaddr/usr/bin/mptcpaddr\n",
		"755 mptcpaddr/usr/bin/mptcpaddrd\n",
		"755 mptcpaddr/usr/bin/mptcpinfo\n",
		"644 mptcpaddr/usr/lib/libmptcpaddr-pm.so\n",
		"644 mptcpaddr/usr/lib/libmptcpaddr.so\n",
		"644 mptcpaddr/usr/lib/systemd/system/mptcpaddrd.service\n",
		"644 mptcpaddr/usr/share/licenses/mptcpaddr/LICENSE\n",
		"644 mptcpaddr/usr/share/man/man8/mptcpaddr.8\n",
		"644 mptcpaddr/usr/share/zsh/site-functions/_mptcpaddr\n",
	};
	char *list;
	size_t i;

	NEED_SANDBOX();
	list = packages("arch");
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		cr_expect(strstr(list, files[i]), "no %s in: %s", files[i], list);
	cr_expect(!strstr(list, "usr/local") && !strstr(list, "usr/sbin"), "%s", list);
	free(list);
}

/* Users' programs read the pool files, so all can. */
Test(recipes, openwrt_packages_are_complete, SLOW)
{
	static const char files[] = "644 libmptcpaddr/etc/mptcpaddr/default.conf\n"
				    "644 libmptcpaddr/etc/sysctl.d/90-mptcpaddr.conf\n"
				    "644 libmptcpaddr/usr/lib/libmptcpaddr-pm.so\n"
				    "644 libmptcpaddr/usr/lib/libmptcpaddr.so\n"
				    "755 mptcpaddr-tools/usr/bin/mptcpaddr\n"
				    "755 mptcpaddr-tools/usr/bin/mptcpinfo\n"
				    "755 mptcpaddrd/etc/init.d/mptcpaddrd\n"
				    "644 mptcpaddrd/etc/mptcpaddr/broker.conf\n"
				    "755 mptcpaddrd/usr/sbin/mptcpaddrd\n";
	char *list;

	NEED_SANDBOX();
	list = packages("openwrt");
	cr_expect_str_eq(list, files, "%s", list);
	free(list);
}
