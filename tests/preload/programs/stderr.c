// SPDX-License-Identifier: MIT
/*
 * stderr.c - run a program with a standard error that does not take any more:
 * stderr HOW PROGRAM [ARGUMENT ...]
 */
#include "program.h"

#include <sys/resource.h>
#include <termios.h>

#define READER 200 /* a descriptor that the program inherits */

static void fill(int fd)
{
	static const char text[512];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, text, sizeof(text)) > 0)
		;
	while (write(fd, text, 1) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

static void become_stderr(int fd, int reader)
{
	if (dup2(fd, STDERR_FILENO) < 0 || (reader >= 0 && dup2(reader, READER) < 0))
		_exit(99);
}

static void full_pipe(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe");
	fill(fds[1]);
	become_stderr(fds[1], fds[0]);
}

static void full_socket(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		die("socketpair");
	fill(fds[1]);
	become_stderr(fds[1], fds[0]);
}

static void gone_reader(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe");
	become_stderr(fds[1], -1);
}

static int open_terminal(int *ret_master)
{
	int fd;

	*ret_master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*ret_master < 0 || grantpt(*ret_master) < 0 || unlockpt(*ret_master) < 0)
		die("pty");
	fd = open(ptsname(*ret_master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		die("pts");
	return fd;
}

static void stopped_terminal(void)
{
	int master, fd = open_terminal(&master);

	tcflow(fd, TCOOFF);
	become_stderr(fd, master);
}

/* Room for a few bytes: poll() reports it writable. */
static void full_terminal(void)
{
	int master, fd = open_terminal(&master);
	char some[64];

	fill(fd);
	if (read(master, some, sizeof(some)) < 0)
		die("pty");
	become_stderr(fd, master);
}

/* The program's own output is no file. */
static void full_file(void)
{
	const struct rlimit none = { 0, 0 };
	int fd = open("/run/stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || setrlimit(RLIMIT_FSIZE, &none) < 0 ||
	    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) < 0)
		die("/run/stderr");
	become_stderr(fd, -1);
}

static const struct {
	const char *name;
	void (*prepare)(void);
} kinds[] = {
	{ "full-pipe", full_pipe },	    { "full-socket", full_socket },
	{ "gone-reader", gone_reader },	    { "stopped-terminal", stopped_terminal },
	{ "full-terminal", full_terminal }, { "full-file", full_file },
};

int main(int argc, char *argv[])
{
	if (argc < 3)
		return 2;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[1], kinds[i].name))
			kinds[i].prepare();
	execv(argv[2], argv + 2);
	return 127;
}
