// SPDX-License-Identifier: MIT
/*
 * swap.c - put a plain TCP socket in the place of an MPTCP socket
 *
 * The socket's options, status flags and owner come along. Another descriptor of the same
 * socket, here or in the parent process, or an epoll, would stay with the old one: then
 * nothing is changed.
 */
#include "swap.h"
#include "forgotten.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/sockopt.h"
#include "syscall.h"

#include <linux/socket.h>

#define DESCRIPTORS_MAX 1024 /* examined: a swap must not take long */

_Atomic uint64_t swap_options[SWAP_LEVELS][SWAP_NAMES / 64];
static const short levels[SWAP_LEVELS] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_TCP,
					   IPPROTO_IPV6 };

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* "ino:1a2b ", as /proc/thread-self/fdinfo/NUMBER of an epoll has it. */
static void ino_text(char *to, uint64_t ino)
{
	char digits[17];
	int i = sizeof(digits) - 1;

	digits[i] = '\0';
	for (; ino; ino >>= 4)
		digits[--i] = "0123456789abcdef"[ino & 15];
	STR_APPEND(to, str_append(to, STR_APPEND(to, 0, 32, "ino:"), 32, digits + i), 32,
		   " ");
}

/* Return: whether the file contains @word, whose first letter occurs only there. */
static bool file_contains(int dir, const char *path, const char *word)
{
	const int fd = sys_call(SYS_openat, dir, (long)path, O_RDONLY | O_CLOEXEC);
	const char *seen = word;
	char text[512];
	long n, i;

	while (*seen && (n = sys_call(SYS_read, fd, (long)text, sizeof(text))) > 0)
		for (i = 0; i < n && *seen; i++)
			seen = text[i] == *seen ? seen + 1 : word + (text[i] == *word);
	if (fd >= 0)
		sys_close(fd);
	return fd < 0 || !*seen;
}

/* @number in folder @dir, /proc/.../fd, is the socket itself, or an epoll that has it. */
static bool refers_to(int dir, const char *number, const struct statx *socket,
		      const char *ino)
{
	char path[64] = "../fdinfo/";
	struct statx st;

	if (!sys_statx(dir, number, &st))
		return false;
	if (st.stx_ino == socket->stx_ino && st.stx_dev_minor == socket->stx_dev_minor &&
	    st.stx_dev_major == socket->stx_dev_major)
		return true;
	if (st.stx_mode & S_IFMT)
		return false; /* not an anonymous inode, as an epoll is one */
	str_append(path, str_len(path), sizeof(path), number);
	return file_contains(dir, path, ino);
}

int swap_count_references(int fd, const char *path)
{
	const int dir = sys_call(SYS_openat, AT_FDCWD, (long)path,
				 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char ino[32], entries[1024] __attribute__((aligned(8)));
	int count = 0, examined = 0;
	struct statx socket;
	long n = -1, at;

	if (dir < 0 || !sys_statx(fd, "", &socket))
		examined = DESCRIPTORS_MAX;
	else
		ino_text(ino, socket.stx_ino);
	while (examined < DESCRIPTORS_MAX &&
	       (n = sys_call(SYS_getdents64, dir, (long)entries, sizeof(entries))) > 0)
		for (at = 0; at < n; at += ((struct dirent64 *)(entries + at))->size) {
			const char *name = ((struct dirent64 *)(entries + at))->name;

			examined++;
			count += *name != '.' && refers_to(dir, name, &socket, ino);
		}
	if (dir >= 0)
		sys_close(dir);
	return n == 0 ? count : DESCRIPTORS_MAX;
}

/* The parent made the socket and still has it, as far as this user may see. */
static bool parent_refers_to(int fd)
{
	char path[32] = "/proc/", digits[12];
	int i = sizeof(digits) - 1, count;
	long parent = sys_call(SYS_getppid, 0, 0, 0);

	digits[i] = '\0';
	if (parent <= 1)
		return false;
	for (; parent; parent /= 10)
		digits[--i] = '0' + parent % 10;
	STR_APPEND(path, str_append(path, 6, sizeof(path), digits + i), sizeof(path),
		   "/fd");
	count = swap_count_references(fd, path);
	return count && count < DESCRIPTORS_MAX;
}

static bool has_value(int fd, int level, int name, const char *value, socklen_t len)
{
	char now[64];
	socklen_t now_len = sizeof(now), i = 0;

	if (syscall(SYS_getsockopt, fd, level, name, now, &now_len) < 0 || now_len != len)
		return false;
	while (i < len && now[i] == value[i])
		i++;
	return i == len;
}

/* Return: the lock of the option's buffer, which the kernel sizes itself if unlocked. */
static int buffer_lock(int level, int *name)
{
	if (level != SOL_SOCKET)
		return 0;
	if (*name == SO_SNDBUFFORCE)
		*name = SO_SNDBUF;
	if (*name == SO_RCVBUFFORCE)
		*name = SO_RCVBUF;
	return *name == SO_SNDBUF   ? SOCK_SNDBUF_LOCK
	       : *name == SO_RCVBUF ? SOCK_RCVBUF_LOCK
				    : 0;
}

/* Return: false if the option cannot come along, because only root may set it. */
static bool copy_option(int from, int to, int level, int name)
{
	int readable = name, lock = buffer_lock(level, &readable);
	char value[64] = { 0 };
	socklen_t len = sizeof(value);

	if (!(forgotten_may_have(name) &&
	      forgotten_get(from, level, name, value, &len)) &&
	    syscall(SYS_getsockopt, from, level, readable, value, &len) < 0)
		return true;
	if (has_value(to, level, readable, value, len))
		return true; /* a default, TCP_MAXSEG's for one, must not be set */
	if (lock && !(sys_int_option(from, SOL_SOCKET, SO_BUF_LOCK) & lock))
		return true;
	if (lock)
		*(int *)value /= 2; /* the kernel doubles it */
	if (!syscall(SYS_setsockopt, to, level, name, value, len))
		return true;
	if (errno == EPERM)
		return false;
	if (forgotten_may_have(name)) /* MPTCP lacks it there, too */
		forgotten_add(to, level, name, value, len);
	return true;
}

static void copy_owner(int from, int to)
{
	struct f_owner_ex owner = { 0 };

	if (!sys_call(SYS_fcntl, from, F_GETOWN_EX, (long)&owner) && owner.pid)
		sys_call(SYS_fcntl, to, F_SETOWN_EX, (long)&owner);
	sys_call(SYS_fcntl, to, F_SETSIG, sys_call(SYS_fcntl, from, F_GETSIG, 0));
	sys_call(SYS_fcntl, to, F_SETFL, sys_call(SYS_fcntl, from, F_GETFL, 0));
}

/*
 * All that the program has ever set, but for option @level, @name. SO_BINDTODEVICE stands
 * for SO_BINDTOIFINDEX, too.
 */
static bool copy_options(int from, int to, int level, int name)
{
	int i, n;

	if (swap_count_references(from, "/proc/thread-self/fd") != 1 ||
	    parent_refers_to(from))
		return false;
	for (i = 0; i < SWAP_LEVELS; i++)
		for (n = 0; n < SWAP_NAMES; n++)
			if (swap_options[i][n / 64] >> (n % 64) & 1 &&
			    (levels[i] != level || n != name) &&
			    (levels[i] != SOL_SOCKET || n != SO_BINDTOIFINDEX) &&
			    !copy_option(from, to, levels[i], n))
				return false;
	copy_owner(from, to);
	return true;
}

bool swap_replace(int fd, int other)
{
	const long flags = sys_call(SYS_fcntl, fd, F_GETFD, 0);

	return sys_call(SYS_dup3, other, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0) == fd;
}

bool swap_sockets(int fd, int plain, int level, int name)
{
	return copy_options(fd, plain, level, name) && swap_replace(fd, plain);
}

int swap_copy(int fd)
{
	const int copy = syscall(SYS_socket, sys_int_option(fd, SOL_SOCKET, SO_DOMAIN),
				 SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (copy >= 0 && copy_options(fd, copy, SOL_SOCKET, SO_BINDTODEVICE))
		return copy;
	if (copy >= 0)
		sys_close(copy);
	return -1;
}
