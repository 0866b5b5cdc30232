// SPDX-License-Identifier: MIT
/*
 * changes.c - change the process as servers do, then connect: changes HOW ADDRESS PORT
 *
 * Ends when its standard input does. HOW: steps with commas between them.
 */
#include "program.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static char **arguments, *last;

/* Like setproctitle(): arguments and environment are one piece of memory. */
static void overwrite_all(void)
{
	memset(arguments[0], '/', last - arguments[0]);
}

static void empty_environment(void)
{
	clearenv();
}

static void leave_in_child(void)
{
	if (fork())
		wait(NULL), exit(0);
}

static void open_socket(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}

static void change_root(void)
{
	char dir[] = "/run/root.XXXXXX";

	if (!mkdtemp(dir) || chroot(dir) < 0 || chdir("/") < 0)
		die("chroot");
}

static void hide_files(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) < 0)
		die("unshare");
}

/* Other pool files are at the same places in it. */
static void change_root_to_a_copy(void)
{
	static const char *const dirs[] = { "/run", "/run/home", "/run/home/mptcpaddr" };
	static const char *const files[] = { "/run/pool.conf",
					     "/run/home/mptcpaddr/changes.conf" };
	FILE *f;

	change_root();
	for (int i = 0; i < 3; i++)
		mkdir(dirs[i], 0755);
	for (int i = 0; i < 2; i++) {
		f = fopen(files[i], "w");
		if (!f || fputs("[app]\nmptcp = no\n", f) < 0 || fclose(f))
			die(files[i]);
	}
}

/* Like Chromium; the next step is in argv[1]. */
static void become_exe(void)
{
	static char rest[128];
	char *args[] = { "/proc/self/exe", rest, arguments[2], arguments[3], NULL };

	snprintf(rest, sizeof(rest), "socket%s", strstr(arguments[1], "exe") + 3);
	execv(args[0], args);
	die(args[0]);
}

static void change_user(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2] = { { 0 } };

	prctl(PR_SET_KEEPCAPS, 1);
	if (setgroups(0, NULL) < 0 || setgid(1000) < 0 || setuid(1000) < 0)
		die("setuid");
	caps[0].effective = caps[0].permitted = 1 << CAP_NET_ADMIN;
	if (syscall(SYS_capset, &head, caps) < 0)
		die("capset");
}

static const struct {
	const char *name;
	void (*run)(void);
} steps[] = {
	{ "title", overwrite_all },  { "empty", empty_environment },
	{ "child", leave_in_child }, { "socket", open_socket },
	{ "chroot", change_root },   { "chroot-copy", change_root_to_a_copy },
	{ "user", change_user },     { "hide", hide_files },
	{ "exe", become_exe },
};

static void run_step(const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (!strcmp(steps[i].name, name))
			return steps[i].run();
	errno = EINVAL;
	die(name);
}

int main(int argc, char *argv[])
{
	char how[128], address[64], port[16], *rest, *step, byte;
	int fd;

	if (argc < 4)
		return 2;
	alarm(PROGRAM_SECONDS);
	arguments = argv;
	for (char **e = environ; *e; e++)
		last = *e + strlen(*e);
	snprintf(how, sizeof(how), "%s", argv[1]);
	snprintf(address, sizeof(address), "%s", argv[2]);
	snprintf(port, sizeof(port), "%s", argv[3]);
	for (step = strtok_r(how, ",", &rest); step; step = strtok_r(NULL, ",", &rest))
		run_step(step);
	fd = tcp_to(address, port);
	echo(fd, "hello");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	close(fd);
	return 0;
}
