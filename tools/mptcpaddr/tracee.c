// SPDX-License-Identifier: MIT
/*
 * tracee.c - what the supervisor has to know of a thread, from /proc
 *
 * The thread waits in a system call meanwhile. If it has been killed, its number may
 * be another one's: the caller checks that the call is still there.
 */
#include "program.h"
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD /* Linux 6.9 */
#define PIDFD_THREAD O_EXCL
#endif

/* Return: the length of @ret_text, which gets a NUL; -1. */
static ssize_t read_proc(pid_t tid, const char *name, char *ret_text, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret_text, size - 1);
	if (fd >= 0)
		close(fd);
	ret_text[n > 0 ? n : 0] = '\0';
	return n;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

/*
 * The last part of argv[0], or of the executable where a title has replaced that: both
 * start with what the kernel has noted of the file at exec (15 bytes, perhaps renamed).
 */
static void read_name(pid_t tid, struct tracee *ret)
{
	char argument[PATH_MAX], exe[PATH_MAX], path[64], comm[32] = "";
	ssize_t n = read_proc(tid, "comm", comm, sizeof(comm));
	const char *name;

	comm[n > 0 ? n - 1 : 0] = '\0'; /* a line feed */
	read_proc(tid, "cmdline", argument, sizeof(argument));
	name = base_name(argument);
	if (!*comm || strncmp(name, comm, strlen(comm)) != 0) {
		snprintf(path, sizeof(path), "/proc/%d/exe", tid);
		n = readlink(path, exe, sizeof(exe) - 1);
		exe[n > 0 ? n : 0] = '\0';
		if (n > 0 && *comm && !strncmp(base_name(exe), comm, strlen(comm)))
			name = base_name(exe);
	}
	snprintf(ret->name, sizeof(ret->name), "%.63s", name);
}

static bool is_library_variable(const char *variable)
{
	return !strncmp(variable, "MPTCPADDR_", 10) || !strncmp(variable, "HOME=", 5) ||
	       !strncmp(variable, "XDG_CONFIG_HOME=", 16);
}

static void note_variable(struct tracee *ret, const char *variable)
{
	const size_t len = strlen(variable) + 1;

	if (!is_library_variable(variable) || ret->env_len + len > sizeof(ret->env))
		return;
	memcpy(ret->env + ret->env_len, variable, len);
	ret->env_len += len;
}

/* Another user's environment counts no more than that of a setuid program. */
static void read_environment(pid_t tid, struct tracee *ret)
{
	static char text[1 << 17];
	const char *at = text;
	ssize_t n = -1;
	char **own;

	ret->env_len = 0;
	if (ret->uid == geteuid())
		n = read_proc(tid, "environ", text, sizeof(text));
	for (own = environ; n <= 0 && *own; own++)
		note_variable(ret, *own);
	for (; n > 0 && at < text + n; at += strlen(at) + 1)
		note_variable(ret, at);
}

/* The file system's user ID: the fourth in that line. */
static uid_t read_uid(pid_t tid)
{
	char text[4096];
	const char *line;
	unsigned int uid;

	if (read_proc(tid, "status", text, sizeof(text)) <= 0)
		return geteuid();
	line = strstr(text, "\nUid:");
	return line && sscanf(line, " Uid: %*u %*u %*u %u", &uid) == 1 ? uid : geteuid();
}

bool tracee_read(pid_t tid, struct tracee *ret)
{
	static ino_t own_net;
	struct stat st;
	char path[64];

	if (!own_net && !stat("/proc/self/ns/net", &st))
		own_net = st.st_ino;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", tid);
	if (stat(path, &st) < 0 || st.st_ino != own_net)
		return false;
	/* Only root's programs change theirs: no_new_privs holds for the others. */
	ret->uid = geteuid() ? geteuid() : read_uid(tid);
	read_name(tid, ret);
	read_environment(tid, ret);
	return ret->name[0];
}

/* Before Linux 6.9 a pidfd is of a whole process. */
static pid_t read_process(pid_t tid)
{
	char text[4096];
	const char *line;
	int pid;

	if (read_proc(tid, "status", text, sizeof(text)) <= 0)
		return -1;
	line = strstr(text, "\nTgid:");
	return line && sscanf(line, " Tgid: %d", &pid) == 1 ? pid : -1;
}

int tracee_copy_fd(pid_t tid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, tid, PIDFD_THREAD), copy;

	if (pidfd < 0 && errno == EINVAL)
		pidfd = syscall(SYS_pidfd_open, read_process(tid), 0);
	if (pidfd < 0)
		return -errno;
	copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	copy = copy < 0 ? -errno : copy;
	close(pidfd);
	return copy;
}

bool tracee_has_library(pid_t tid)
{
	char path[64], line[PATH_MAX + 128];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, "/" LIBRARY);
	if (file)
		fclose(file);
	return found;
}

bool tracee_has_left(pid_t tid, int nr)
{
	char text[256];

	if (read_proc(tid, "syscall", text, sizeof(text)) <= 0)
		return true;
	return *text != 'r' && atoi(text) != nr; /* "running": perhaps not there yet */
}
