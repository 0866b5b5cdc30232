// SPDX-License-Identifier: MIT
/*
 * secure.c - setuid, setgid and file capabilities: the launcher warns exactly where the
 * kernel starts the program in secure mode
 *
 * A copy of one program for each kind of file, started in each kind of surroundings. The
 * program itself says what AT_SECURE was.
 */
#include "launcher.h"

#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECURE_WARNING "so preloaded libraries are ignored"
#define PREFIX_MAX     12

static const struct kind {
	const char *name;
	unsigned int mode;
	uid_t owner, group;
	const char *capabilities;
} kinds[] = {
	{ "plain", 0755, 0, 0, NULL },
	{ "setuid", 04755, 0, 0, NULL },
	{ "setuid-of-user", 04755, 1000, 0, NULL },
	{ "setuid-of-another", 04755, 1001, 0, NULL },
	{ "setgid", 02755, 0, 0, NULL },
	{ "setgid-of-another", 02755, 0, 1001, NULL },
	{ "setgid-without-x", 02745, 0, 1001, NULL },
	{ "capable", 0755, 0, 0, "cap_net_admin+ep" },
	{ "capable-if-asked", 0755, 0, 0, "cap_net_admin+p" },
	{ "capable-if-inherited", 0755, 0, 0, "cap_net_admin+i" },
};

#define SETPRIV "/usr/bin/setpriv"
#define USER	SETPRIV, "--reuid", "1000", "--regid", "1000", "--clear-groups"

static const struct place {
	const char *name;
	const char *prefix[PREFIX_MAX];
} places[] = {
	{ "root", { NULL } },
	{ "root without new privileges", { SETPRIV, "--no-new-privs" } },
	{ "a user", { USER } },
	{ "a user without new privileges", { USER, "--no-new-privs" } },
	{ "a user who inherits", { USER, "--inh-caps", "+net_admin" } },
	{ "a user who may never", { USER, "--bounding-set", "-net_admin" } },
	{ "a user in a namespace without root",
	  { USER, "/usr/bin/unshare", "-U", "--map-user=1000" } },
	{ "the root of a user's namespace", { USER, "/usr/bin/unshare", "-Ur" } },
	{ "a user who is root in effect", { SETPRIV, "--ruid", "1000", "--euid", "0" } },
};

/* The tool, the libraries and every kind of file, readable by all users. */
static void make_kit(struct bench *b, const char *folder)
{
	char command[3 * PATH_MAX], path[128];
	unsigned int i;

	snprintf(command, sizeof(command), "cp %s %s %s %s", path_of("mptcpaddr"),
		 path_of("libmptcpaddr.so"), path_of("libmptcpaddr-pm.so"), folder);
	shell(b, command);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, kinds[i].name);
		snprintf(command, sizeof(command), "cp %s %s",
			 path_of("tests/launcher-progs/hello"), path);
		shell(b, command);
		cr_assert_eq(chown(path, kinds[i].owner, kinds[i].group), 0);
		cr_assert_eq(chmod(path, kinds[i].mode), 0);
		snprintf(command, sizeof(command), "/usr/sbin/setcap %s %s",
			 kinds[i].capabilities ?: "", path);
		if (kinds[i].capabilities)
			shell(b, command);
	}
}

static struct said in_place(struct bench *b, const struct place *place, const char *tool,
			    const char *program)
{
	const char *argv[PREFIX_MAX + 8] = { NULL };
	unsigned int n = 0, i;

	for (i = 0; i < PREFIX_MAX && place->prefix[i]; i++)
		argv[n++] = place->prefix[i];
	/* setpriv keeps capabilities that an exec takes away: one in between in any case
	 */
	argv[n++] = tool ?: "/usr/bin/env";
	if (tool)
		argv[n++] = "run";
	if (tool)
		argv[n++] = "--no-supervise";
	argv[n++] = program;
	return run(b, NULL, argv);
}

/* Return: whether the kernel set AT_SECURE. */
static bool compare(struct bench *b, const char *folder, const struct kind *kind,
		    const struct place *place)
{
	char path[128], tool[128];
	struct said native, said;
	bool secure;

	snprintf(path, sizeof(path), "%s/%s", folder, kind->name);
	snprintf(tool, sizeof(tool), "%s/mptcpaddr", folder);
	native = in_place(b, place, NULL, path);
	said = in_place(b, place, tool, path);
	secure = strstr(native.out, "secure=1");
	/* A program that may not have the capabilities that it insists on does not start.
	 */
	cr_expect(native.status == 1 || (native.status == 126 && !native.out[0]),
		  "%s, started by %s: %d, %s", path, place->name, native.status,
		  native.err);
	if (native.status == 1)
		cr_expect_eq(times(&said, SECURE_WARNING), secure,
			     "%s, started by %s: %s%s", path, place->name, native.out,
			     said.err);
	cr_expect_str_eq(said.out, native.out, "%s, started by %s: %s", path, place->name,
			 said.err);
	cr_expect_eq(said.status, native.status, "%s, %s: %d, not %d: %s", path,
		     place->name, said.status, native.status, native.err);
	said_free(&native);
	said_free(&said);
	return secure;
}

static unsigned int compare_all(struct bench *b, const char *folder)
{
	unsigned int i, k, secure = 0;

	make_kit(b, folder);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		for (k = 0; k < sizeof(places) / sizeof(*places); k++)
			secure += compare(b, folder, &kinds[i], &places[k]);
	return secure;
}

Test(secure, launcher_warns_of_rights_where_the_kernel_gives_them, TIMEOUT)
{
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/kit", 0755), 0);
	/* Those of a user: three setuid or setgid, two capable; and more. */
	cr_expect_geq(compare_all(&b, "/run/kit"), 9);
	bench_close(&b);
}

Test(secure, launcher_names_the_reason, TIMEOUT)
{
	static const struct place root = { "root", { NULL } },
				  user = { "a user", { USER } },
				  other_user = { "root in effect",
						 { SETPRIV, "--ruid", "1000", "--euid",
						   "0" } },
				  other_group = { "a group in effect",
						  { SETPRIV, "--rgid", "1000", "--egid",
						    "0", "--clear-groups" } };
	static const struct {
		const char *kind;
		const struct place *place;
		const char *reason;
	} cases[] = {
		{ "setuid-of-another", &root, "is setuid, so preloaded" },
		{ "setgid-of-another", &user, "is setgid, so preloaded" },
		{ "capable", &user, "is a program with file capabilities, so preloaded" },
		{ "plain", &other_user,
		  "is started with another effective user ID, so preloaded" },
		{ "plain", &other_group,
		  "is started with another effective group ID, so preloaded" },
	};
	char path[64];
	struct said said;
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/kit-why", 0755), 0);
	make_kit(&b, "/run/kit-why");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(path, sizeof(path), "/run/kit-why/%s", cases[i].kind);
		said = in_place(&b, cases[i].place, "/run/kit-why/mptcpaddr", path);
		cr_expect_eq(times(&said, cases[i].reason), 1, "%s by %s: %s", path,
			     cases[i].place->name, said.err);
		said_free(&said);
	}
	bench_close(&b);
}

Test(secure, nosuid_mount_causes_no_warning, TIMEOUT)
{
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/kit-nosuid", 0755), 0);
	cr_assert_eq(mount("tmpfs", "/run/kit-nosuid", "tmpfs", MS_NOSUID, "mode=0755"),
		     0);
	compare_all(&b, "/run/kit-nosuid");
	bench_close(&b);
}

/* The manual's command gives the rights; sudo is left out. */
Test(secure, advice_for_a_user_without_rights_works, TIMEOUT)
{
	static const struct place user = { "a user", { USER } };
	static const struct place advised = { "advised",
					      { USER, "--inh-caps", "+net_admin",
						"--ambient-caps", "+net_admin" } };
	struct said said;
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	cr_assert_eq(mkdir("/run/advice", 0755), 0);
	make_kit(&b, "/run/advice");
	said = in_place(&b, &user, "/run/advice/mptcpaddr", "/run/advice/plain");
	cr_expect_eq(times(&said, WARNING "no CAP_NET_ADMIN"), 1, "%s", said.err);
	cr_expect_eq(times(&said, "; or give the program CAP_NET_ADMIN, see EXAMPLES in "
				  "mptcpaddr(8)\n"),
		     1, "%s", said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	said = in_place(&b, &advised, "/run/advice/mptcpaddr", "/run/advice/plain");
	cr_expect_str_eq(said.err, "");
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}
