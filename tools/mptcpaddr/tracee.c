// SPDX-License-Identifier: MIT
/*
 * tracee.c - what the supervisor has to know of a thread, from /proc
 *
 * The thread waits in a system call meanwhile. If it has been killed, its number may
 * be another one's: the caller checks that the call is still there.
 */
#include "program.h"
#include "shim/preload/swap.h"
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD /* Linux 6.9 */
#define PIDFD_THREAD O_EXCL
#endif

#define UID_OF_FILES 3 /* in "Uid:" */

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
	       !strncmp(variable, "XDG_CONFIG_HOME=", 16) ||
	       !strncmp(variable, "XDG_STATE_HOME=", 15) ||
	       !strncmp(variable, "GODEBUG=", 8);
}

static void note_variable(struct tracee *ret, const char *variable)
{
	const size_t len = strlen(variable) + 1;

	if (!is_library_variable(variable) || ret->env_len + len >= sizeof(ret->env))
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

	if (ret->uid == geteuid())
		n = read_proc(tid, "environ", text, sizeof(text));
	for (own = environ; n <= 0 && *own; own++)
		note_variable(ret, *own);
	for (; n > 0 && at < text + n; at += strlen(at) + 1)
		note_variable(ret, at);
}

/* Number @i of a line of /proc/TID/status; @def if it cannot be read. */
static int read_status_number(pid_t tid, const char *key, int i, int def)
{
	char text[4096], *at;

	read_proc(tid, "status", text, sizeof(text));
	at = strstr(text, key);
	if (!at)
		return def;
	for (at += strlen(key); i >= 0; i--)
		def = strtoul(at, &at, 10);
	return def;
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
	memset(ret, 0, sizeof(*ret));
	/* Only root's programs change theirs: no_new_privs holds for the others. */
	ret->uid = geteuid();
	if (!ret->uid)
		ret->uid = read_status_number(tid, "\nUid:", UID_OF_FILES, 0);
	read_name(tid, ret);
	read_environment(tid, ret);
	return ret->name[0];
}

int tracee_copy_fd(pid_t tid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, tid, PIDFD_THREAD), copy;

	if (pidfd < 0 && errno == EINVAL) /* before 6.9: of a whole process */
		pidfd = syscall(SYS_pidfd_open, read_status_number(tid, "\nTgid:", 0, -1),
				0);
	if (pidfd < 0)
		return -errno;
	copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	copy = copy < 0 ? -errno : copy;
	close(pidfd);
	return copy;
}

bool tracee_shares_fd(pid_t tid, int copy)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd", tid);
	if (swap_count_references(copy, path) != 1)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/fd",
		 read_status_number(tid, "\nPPid:", 0, 0));
	return swap_count_references(copy, path) == 1;
}

int tracee_fd_flags(pid_t tid, int fd)
{
	char name[64], text[256], *at;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	read_proc(tid, name, text, sizeof(text));
	at = strstr(text, "flags:");
	return at ? strtol(at + 6, NULL, 8) & O_CLOEXEC : 0;
}

bool tracee_uses_library(pid_t tid, uint64_t from)
{
	char path[64], line[PATH_MAX + 128], exe[PATH_MAX] = "";
	bool loaded = false, own = false, musl = false;
	uint64_t begin, end;
	int at;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	if (readlink(path, exe, sizeof(exe) - 1) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	file = fopen(path, "re");
	while (file && !own && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &begin,
			   &end, &at) != 2)
			continue;
		line[strcspn(line, "\n")] = '\0';
		own = from >= begin && from < end && !strcmp(line + at, exe);
		loaded |= !!strstr(line, "/" LIBRARY);
		musl |= strcmp(OWN_LIBC, "musl") != 0 &&
			(strstr(line, "/ld-musl-") ||
			 strstr(line, "-linux-musl/libc.so"));
	}
	if (file)
		fclose(file);
	return loaded && !own && !musl;
}

bool tracee_has_left(pid_t tid, int nr)
{
	char text[256];

	if (read_proc(tid, "syscall", text, sizeof(text)) <= 0)
		return true;
	return *text != 'r' && atoi(text) != nr; /* "running": perhaps not there yet */
}
