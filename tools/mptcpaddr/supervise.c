// SPDX-License-Identifier: MIT
/*
 * supervise.c - put this process under a supervisor, before it executes its program
 *
 * The filter stays for life, also in children, so the supervisor runs first. It reports
 * no data, and of socket() only what could become MPTCP.
 */
#include "supervise.h"
#include "command.h"
#include "pass_fd.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervise_abi.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV /* Linux 5.19 */
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define CAP_SYS_ADMIN_BIT 21
#define ADDFD_SEND	  5014 /* Linux 5.14 */

const char *supervise_lacks(void)
{
	static char text[128];
	unsigned int major = 0, minor = 0;
	struct utsname name = { .release = "?" };
	struct seccomp_notif_sizes sizes;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major * 1000 + minor < ADDFD_SEND)
		snprintf(text, sizeof(text),
			 "Linux %.40s lacks SECCOMP_ADDFD_FLAG_SEND, which 5.14 has",
			 name.release);
	else if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		snprintf(text, sizeof(text), "seccomp filters cannot be used here: %s",
			 strerror(errno));
	else
		return NULL;
	return text;
}

bool supervise_is_free(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "CapEff:", 7))
			caps = strtoull(line + 7, NULL, 16);
	if (file)
		fclose(file);
	return caps >> CAP_SYS_ADMIN_BIT & 1 ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0;
}

#define LOAD(field)          \
	(struct sock_filter) \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
/* Skip @n instructions unless the value is @k; skip @n if it is. */
#define UNLESS(k, n) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n)
#define SKIP(n)	     (struct sock_filter) BPF_STMT(BPF_JMP | BPF_JA, n)
#define IF(k, n)     (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, n, 0)

/* The low half of an argument. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOAD_ARG(i)                                             \
	(struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
				      offsetof(struct seccomp_data, args[i]) + 4)
#else
#define LOAD_ARG(i) LOAD(args[i])
#endif

/* 25 instructions; each jump counts those that it skips. */
static unsigned int put_abi(struct sock_filter *to, const struct supervise_abi *abi)
{
	const struct sock_filter block[] = {
		LOAD(arch),
		UNLESS(abi->arch, 23),
		LOAD(nr),
		IF(abi->connect, 19),
		IF(abi->listen, 18),
		UNLESS(abi->socketcall, 6),
		LOAD_ARG(0), /* its arguments are in memory */
		IF(SOCKETCALL_SOCKET, 15),
		IF(SOCKETCALL_CONNECT, 14),
		IF(SOCKETCALL_LISTEN, 13),
		IF(SOCKETCALL_SETSOCKOPT, 12),
		RETURN(SECCOMP_RET_ALLOW),
		UNLESS(abi->socket, 11),
		LOAD_ARG(0),
		IF(AF_INET, 1),
		UNLESS(AF_INET6, 8),
		LOAD_ARG(1),
		(struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
					     ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC)),
		UNLESS(SOCK_STREAM, 5),
		LOAD_ARG(2),
		IF(0, 2),
		IF(IPPROTO_TCP, 1),
		RETURN(SECCOMP_RET_ALLOW),
		RETURN(SECCOMP_RET_USER_NOTIF),
		RETURN(SECCOMP_RET_ALLOW),
	};

	memcpy(to, block, sizeof(block));
	return sizeof(block) / sizeof(*block);
}

/* setsockopt() of the options @refused. */
static unsigned int put_options(struct sock_filter *to, const struct supervise_abi *abi,
				const struct sockopt *const refused[], unsigned int n)
{
	struct sock_filter *at = to;
	unsigned int i;

	*at++ = LOAD(arch);
	*at++ = IF(abi->arch, 1);
	*at++ = SKIP(5 * n + 5);
	*at++ = LOAD(nr);
	*at++ = IF(abi->setsockopt, 1);
	*at++ = SKIP(5 * n + 2);
	*at++ = LOAD_ARG(2);
	for (i = 0; i < n; i++) {
		*at++ = UNLESS(refused[i]->name, 4);
		*at++ = LOAD_ARG(1);
		*at++ = UNLESS(refused[i]->level, 1);
		*at++ = RETURN(SECCOMP_RET_USER_NOTIF);
		*at++ = LOAD_ARG(2);
	}
	*at++ = RETURN(SECCOMP_RET_ALLOW);
	return at - to;
}

static int install_filter(unsigned long flags)
{
	static struct sock_filter code[N_SUPERVISE_ABIS * (5 * SOCKOPTS_MAX + 32) + 1];
	const struct sockopt *refused[SOCKOPTS_MAX];
	const unsigned int n = option_list_refused(refused);
	struct sock_fprog program = { .filter = code };
	size_t i;
	int fd;

	for (i = 0; i < N_SUPERVISE_ABIS; i++) {
		program.len +=
			put_options(code + program.len, &supervise_abis[i], refused, n);
		program.len += put_abi(code + program.len, &supervise_abis[i]);
	}
	code[program.len++] = RETURN(SECCOMP_RET_ALLOW);
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	return fd < 0 ? -errno : fd;
}

/* Return: the listener, or -errno. */
static int open_listener(void)
{
	unsigned long flags =
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int fd = install_filter(flags);

	if (fd == -EINVAL) {
		/* Before 5.19 a signal may interrupt socket() while it is served. */
		flags &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
		fd = install_filter(flags);
	}
	/* The kernel wants that of a process without CAP_SYS_ADMIN. */
	if (fd == -EACCES && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fd = install_filter(flags);
	return fd == -EBUSY ? -EALREADY : fd;
}

/* A grandchild, without any signal: the program must not meet a child of ours. */
static void start_keeper(int channel)
{
	char number[16];
	pid_t child = syscall(SYS_clone, 0, 0, 0, 0, 0);
	sigset_t all;

	if (child) {
		waitpid(child, NULL, __WALL);
		return;
	}
	if (fork() != 0)
		_exit(0);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	unsetenv("LD_PRELOAD");
	snprintf(number, sizeof(number), "%d", dup(channel));
	execl("/proc/self/exe", "mptcpaddr", KEEPER_COMMAND, number, NULL);
	_exit(EXIT_USAGE);
}

int supervise_start(void)
{
	int pair[2], listener, r = 0;
	pid_t keeper;
	char byte = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	start_keeper(pair[1]);
	close(pair[1]);
	/* No filter without somebody who answers: it cannot be removed. */
	listener = read(pair[0], &keeper, sizeof(keeper)) == sizeof(keeper)
			   ? open_listener()
			   : -ECHILD;
	if (listener >= 0) /* for Yama, where only ancestors may otherwise */
		prctl(PR_SET_PTRACER, keeper, 0, 0, 0);
	if (listener < 0)
		r = listener;
	else if (pass_fd_send(pair[0], &byte, 1, listener) != 1 ||
		 read(pair[0], &byte, 1) != 1)
		r = -EPIPE;
	if (listener >= 0)
		close(listener);
	close(pair[0]);
	return r;
}
