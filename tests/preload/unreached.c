// SPDX-License-Identifier: MIT
/*
 * unreached.c - checklist 9 to 11: programs that the library must leave alone
 */
#include "preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SECURE "/run/secure"

/*
 * A program with a file capability, run by a user other than root, is AT_SECURE. For it
 * the loader accepts only libraries named without a slash, setuid, in its standard
 * directories: mount ours over $1, such a directory, in a mount namespace of its own.
 */
#define SECURE_SCRIPT                                                            \
	"mount -t overlay overlay -o lowerdir=\"$1\",upperdir=" SECURE           \
	"/lib,workdir=" SECURE "/work \"$1\" && "                                \
	"exec unshare --user --map-user=1000 --map-group=1000 env "              \
	"LD_PRELOAD=libmptcpaddr.so MPTCPADDR_LOG=debug:" SECURE "/log "         \
	"MPTCPADDR_CONFIG=" SECURE "/pool.conf " SECURE "/protocol " LAB_ADDRESS \
	" " LAB_PORT

/* Return: the directory of libc. */
static const char *loader_dir(void)
{
	static char path[PATH_MAX];
	Dl_info info;

	cr_assert(dladdr(dlsym(RTLD_DEFAULT, "socket"), &info));
	cr_assert(realpath(info.dli_fname, path));
	return dirname(path);
}

static void copy(const char *from, const char *to)
{
	const char *argv[] = { "cp", from, to, NULL };

	cr_assert_eq(proc_run(NULL, NULL, argv), 0, "%s", from);
}

/* Return: false if file capabilities cannot be set here. */
static bool make_secure_dir(bool with_capability)
{
	const struct vfs_cap_data cap = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1U << CAP_NET_RAW,
	};
	char path[PATH_MAX];

	mkdir(SECURE, 0755);
	cr_assert_eq(mkdir(SECURE "/lib", 0755), 0);
	cr_assert_eq(mkdir(SECURE "/work", 0755), 0);
	copy(built("libmptcpaddr.so", path, sizeof(path)), SECURE "/lib");
	copy(built("libmptcpaddr-pm.so", path, sizeof(path)), SECURE "/lib");
	cr_assert_eq(chmod(SECURE "/lib/libmptcpaddr.so", 04755), 0);
	copy(program_path("protocol"), SECURE);
	put_file(SECURE "/pool.conf", "[pool]\nendpoint = 10.0.2.2 laminar\n", 0644);
	return !with_capability ||
	       !setxattr(SECURE "/protocol", "security.capability", &cap, sizeof(cap), 0);
}

static bool has_library(pid_t pid)
{
	char path[64], *maps;
	bool has;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = get_file(path);
	cr_assert(maps, "%s: %s", path, strerror(errno));
	has = strstr(maps, "/libmptcpaddr.so");
	free(maps);
	return has;
}

/* Return: the number of MPTCP connections that the program asked for. */
static int run_secure(struct lab *lab, const char *secure)
{
	const char *argv[] = { "unshare",     "--mount", "sh",	       "-c",
			       SECURE_SCRIPT, "sh",	 loader_dir(), NULL };
	int64_t before = lab_capable(lab);
	struct proc p;
	char *out, *err;

	cr_assert_eq(proc_start(&p, &lab->world.client, argv, NULL), 0);
	WAIT_FOR(proc_said(&p, "done"));
	out = proc_output(&p);
	err = proc_errors(&p);
	cr_assert(strstr(out, "done"), "%s%s", out, err);
	cr_assert(strstr(out, secure), "%s", out);
	cr_assert(strstr(out, "threads 1\n"), "%s", out);
	cr_assert_str_eq(err, "", "%s", err);
	/* Each step was an exec(): it is still the process that was started. */
	cr_assert(has_library(p.pid), "the library was not loaded");
	proc_eof(&p);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0);
	proc_end(&p);
	free(out);
	free(err);
	return lab_capable(lab) - before;
}

Test(unreached, secure_execution_is_left_alone, TIMEOUT)
{
	struct lab lab;

	lab_open(&lab);
	if (!make_secure_dir(true))
		SKIP("no file capabilities here: %s", strerror(errno));
	cr_expect_eq(run_secure(&lab, "AT_SECURE 1\n"), 0, "not inert");
	cr_expect(access(SECURE "/log", F_OK) < 0, "the environment was obeyed");
	lab_close(&lab);
}

/* The same without AT_SECURE: proves that the test above can fail. */
Test(unreached, the_same_program_without_its_capability_is_served, TIMEOUT)
{
	struct lab lab;

	lab_open(&lab);
	cr_assert(make_secure_dir(false));
	cr_expect_eq(run_secure(&lab, "AT_SECURE 0\n"), 1, "not served");
	cr_expect_eq(access(SECURE "/log", F_OK), 0, "the environment was not obeyed");
	lab_close(&lab);
}

SAME_IN_BOTH_MODES(unreached, program_whose_filter_kills_is_plain_TCP, TCP, "sandbox",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(unreached, static_program_runs_unharmed, TCP, "client-static",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(unreached, static_position_independent_program_runs_unharmed, TCP,
		   "client-static-pie", LAB_ADDRESS, LAB_PORT)

#define COUNT_THREADS .argv = { "count", "connect", LAB_ADDRESS, LAB_PORT }

Test(unreached, disabled_by_the_environment, TIMEOUT)
{
	struct program g = { COUNT_THREADS, .preload_env = { "MPTCPADDR_DISABLE=1" } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, TCP);
	same_as_native(&lab, &g, NO_POOL, TCP);
	g.preload_env[0] = "MPTCPADDR_DISABLE=yes";
	same_as_native(&lab, &g, POOL, TCP);
	g.preload_env[0] = "MPTCPADDR_DISABLE=";
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	g.preload_env[0] = "MPTCPADDR_DISABLE=0";
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}

Test(unreached, mptcp_no_in_the_pool_file_leaves_the_program_alone, TIMEOUT)
{
	const struct program g = { COUNT_THREADS };
	struct lab lab;

	lab_open(&lab);
	lab_pool(&lab, "[pool]\nendpoint = 10.0.2.2 laminar\n[app]\nmptcp = no\n");
	same_as_native(&lab, &g, POOL, TCP);
	lab_pool(&lab, "[app]\nlog = warning\nmptcp=no ; of all programs this one\n");
	same_as_native(&lab, &g, POOL, TCP);
	lab_pool(&lab, "[app]\nmptcp = yes\n[pool]\n");
	same_as_native(&lab,
		       &(struct program){ .argv = { "client", LAB_ADDRESS, LAB_PORT } },
		       POOL, MPTCP);
	lab_close(&lab);
}

Test(unreached, opt_out_is_for_the_program_that_it_names, TIMEOUT)
{
	const struct program named = { COUNT_THREADS };
	const struct program other = { .argv = { "client", LAB_ADDRESS, LAB_PORT } };
	char dir[PATH_MAX], file[PATH_MAX + 16];
	struct lab lab;

	lab_open(&lab);
	snprintf(dir, sizeof(dir), "%s/mptcpaddr", lab.home);
	cr_assert_eq(mkdir(dir, 0755), 0);
	snprintf(file, sizeof(file), "%s/count.conf", dir);
	put_file(file, "[app]\nmptcp = no\n", 0644);
	same_as_native(&lab, &named, NO_POOL, TCP);
	same_as_native(&lab, &other, NO_POOL, MPTCP);
	lab_close(&lab);
}

Test(unreached, opt_out_holds_without_a_free_descriptor_at_first, TIMEOUT)
{
	const struct program g = { .argv = { "latch", LAB_ADDRESS, LAB_PORT } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, MPTCP);
	lab_pool(&lab, "[app]\nmptcp = no\n");
	same_as_native(&lab, &g, POOL, TCP);
	lab_close(&lab);
}
