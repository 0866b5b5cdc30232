// SPDX-License-Identifier: MIT
/*
 * staged.c - make install and make uninstall below a folder, and what was installed
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "skip.h"

#define STAGE	  "/run/stage"
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define SHELL_MS  60000

/* Return: what it printed; the caller frees it. It must succeed. */
static char *shell(const char *command)
{
	struct proc p;
	char *out, *err;
	int r;

	cr_assert_eq(proc_start(&p, NULL, ARGS("/bin/bash", "-ec", command), NULL), 0);
	proc_eof(&p);
	r = proc_wait(&p, SHELL_MS);
	out = proc_output(&p);
	err = proc_errors(&p);
	cr_assert_eq(r, 0, "%s: %d: %s", command, r, err);
	free(err);
	proc_end(&p);
	return out;
}

static void make(const char *goal, const char *stage)
{
	char command[PATH_MAX + 256], build[PATH_MAX];

	built("", build, sizeof(build));
	build[strlen(build) - 1] = '\0'; /* the slash */
	snprintf(command, sizeof(command),
		 "unset MAKEFLAGS MAKELEVEL MFLAGS; make %s B='%s' DESTDIR=%s", goal,
		 build, stage);
	free(shell(command));
}

/* What uninstall leaves: configuration. */
static const char left[] = "etc/mptcpaddr/broker.conf 644\n"
			   "etc/mptcpaddr/default.conf 644\n"
			   "etc/sysctl.d/90-mptcpaddr.conf 644\n";

Test(staged, everything_is_installed_and_uninstalled_again, .timeout = 120)
{
	static const char *const files[] = {
		"usr/local/bin/mptcpaddr 755\n",
		"usr/local/bin/mptcpinfo 755\n",
		"usr/local/lib/libmptcpaddr.so 644\n",
		"usr/local/lib/libmptcpaddr-pm.so 644\n",
		"usr/local/share/man/man5/mptcpaddr.conf.5 644\n",
		"usr/local/share/man/man7/libmptcpaddr.7 644\n",
		"usr/local/share/man/man8/mptcpaddr.8 644\n",
		"usr/local/share/man/man8/mptcpinfo.8 644\n",
		"usr/local/share/man/man8/mptcpaddrd.8 644\n",
		"usr/local/sbin/mptcpaddrd 755\n",
		"usr/local/lib/systemd/system/mptcpaddrd.service 644\n",
		"etc/mptcpaddr/broker.conf 644\n",
		"usr/local/share/bash-completion/completions/mptcpaddr 644\n",
		"usr/local/share/bash-completion/completions/mptcpaddrd 644\n",
		"usr/local/share/zsh/site-functions/_mptcpaddr 644\n",
		"usr/local/share/fish/vendor_completions.d/mptcpaddr.fish 644\n",
		"usr/local/share/doc/libmptcpaddr/examples/curl.conf 644\n",
		"etc/mptcpaddr/default.conf 644\n",
		"etc/sysctl.d/90-mptcpaddr.conf 644\n",
	};
	char *list, *kept;
	size_t i;

	NEED_SANDBOX();
	make("install", STAGE);
	list = shell("cd " STAGE "; find . -type f -printf '%P %m\\n'");
	for (i = 0; i < sizeof(files) / sizeof(*files); i++)
		cr_expect(strstr(list, files[i]), "no %s in: %s", files[i], list);
	free(list);
	/* The administrator's own configuration stays, whatever happens. */
	free(shell("echo '# mine' >" STAGE "/etc/mptcpaddr/default.conf"));
	make("install", STAGE);
	kept = shell("cat " STAGE "/etc/mptcpaddr/default.conf");
	cr_expect_str_eq(kept, "# mine\n");
	free(kept);
	make("uninstall", STAGE);
	list = shell("cd " STAGE "; find . -type f -printf '%P %m\\n' | "
		     "LC_ALL=C sort");
	cr_expect_str_eq(list, left);
	free(list);
}

/* The tool finds the library beside itself, wherever that is. */
Test(staged, tool_finds_the_library_beside_itself, .timeout = 120)
{
	char *out;

	NEED_SANDBOX();
	make("install", "/run/other");
	out = shell("cd /run/other/usr/local; mv lib/*.so bin; bin/mptcpaddr run -v "
		    "--backend none true 2>&1 | grep '^mptcpaddr: library'");
	cr_expect_str_eq(out, "mptcpaddr: library: "
			      "/run/other/usr/local/bin/libmptcpaddr.so\n");
	free(out);
}

/* LIBDIR follows PREFIX. */
Test(staged, prefix_is_where_the_library_is_looked_for, .timeout = 120)
{
	char command[3 * PATH_MAX + 512], build[PATH_MAX], *out;

	NEED_SANDBOX();
	built("", build, sizeof(build));
	snprintf(command, sizeof(command),
		 "unset MAKEFLAGS MAKELEVEL MFLAGS; rm -rf /run/b; mkdir /run/b; cp -a "
		 "'%s'/obj "
		 "'%s'/*.so '%s'/mptcp* /run/b; make install B=/run/b PREFIX=/opt/m "
		 "DESTDIR=/run/prefix; mkdir -p /opt; mount --bind /run/prefix/opt /opt; "
		 "/opt/m/bin/mptcpaddr run -v --backend none true 2>&1 | "
		 "sed -n 's/^mptcpaddr: library: //p'",
		 build, build, build);
	out = shell(command);
	cr_expect(strstr(out, "\n/opt/m/lib/libmptcpaddr.so\n"), "%s", out);
	free(out);
}

/* A tarball without .git makes the same tarball, byte by byte. */
Test(staged, tarball_packs_itself_again, .timeout = 120)
{
	char *out = NULL;

	NEED_SANDBOX();
	out = shell("unset MAKEFLAGS MAKELEVEL MFLAGS; make -s dist B=/run/one; "
		    "mkdir /run/two; tar -x -C /run/two --strip-components 1 -f "
		    "/run/one/mptcpaddr-*.tar.gz; make -s -C /run/two dist; "
		    "cmp /run/one/*.tar.gz /run/two/build/*.tar.gz && echo same");
	cr_expect_str_eq(out, "same\n");
	free(out);
}

/* Files that come with the program are good pool files. */
Test(staged, samples_have_no_errors, .timeout = 60)
{
	char command[PATH_MAX + 128], tool[PATH_MAX];

	NEED_SANDBOX();
	snprintf(command, sizeof(command),
		 "'%s' check $(ls config/*.conf config/samples/*.conf | grep -v broker)",
		 built("mptcpaddr", tool, sizeof(tool)));
	free(shell(command));
}
