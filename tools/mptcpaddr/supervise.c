// SPDX-License-Identifier: MIT
/*
 * supervise.c - put this process under a supervisor, before it executes its program
 *
 * The filter stays for life, also in children, so the supervisor runs first. It reports
 * no data, and of socket() only what could become MPTCP.
 */
#include "supervise.h"
#include "command.h"
#include "shim/common/sockopt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define KERNEL_MIN 5019 /* Linux 5.19 has that flag */

/* A sandbox may deny what the keeper does: then the program would wait in vain. */
static bool keeper_is_denied(void)
{
	struct pollfd none = { .fd = -1 };

	return poll(&none, 1, 0) < 0 ||
	       (ioctl(-1, SECCOMP_IOCTL_NOTIF_RECV, NULL) < 0 && errno != EBADF);
}

const char *supervise_lacks(void)
{
	static char text[160];
	unsigned int major = 0, minor = 0;
	struct utsname name = { .release = "?" };
	struct seccomp_notif_sizes sizes;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major * 1000 + minor < KERNEL_MIN)
		snprintf(text, sizeof(text),
			 "Linux %.40s lacks SECCOMP_ADDFD_FLAG_SEND, which 5.14 has, or "
			 "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV of 5.19",
			 name.release);
	else if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0 ||
		 keeper_is_denied())
		snprintf(text, sizeof(text), "seccomp filters cannot be used here: %s",
			 strerror(errno));
	else
		return NULL;
	return text;
}

bool supervise_is_free(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2] = { 0 };

	syscall(SYS_capget, &head, caps);
	return caps[0].effective & CAP_TO_MASK(CAP_SYS_ADMIN) ||
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0;
}

static bool lacks_option(int fd, const struct sockopt *opt)
{
	const int one = 1;

	return syscall(SYS_setsockopt, fd, opt->level, opt->name, &one, sizeof(one)) <
		       0 &&
	       (errno == EOPNOTSUPP || errno == ENOPROTOOPT);
}

/* An int argument: the upper half of its register may hold anything. */
#define ARG_IS(arg, value) SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
#define STREAM                                                                        \
	SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), \
		 SOCK_STREAM)

/* setsockopt() of what this kernel's TCP has, and its MPTCP lacks or must not have. */
static int report_options(scmp_filter_ctx filter)
{
	const int mptcp = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
	const int family = mptcp < 0 ? AF_INET : AF_INET6;
	const int fds[] = {
		mptcp < 0 ? socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP) : mptcp,
		socket(family, SOCK_STREAM, 0),
	};
	int r = 0;

	for (const struct sockopt *o = sockopts; o < sockopts + n_sockopts && !r; o++)
		if (sockopt_is_withdrawn(o->level, o->name) ||
		    (fds[0] >= 0 && lacks_option(fds[0], o) && !lacks_option(fds[1], o)))
			r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY,
					     SCMP_SYS(setsockopt), 2, ARG_IS(1, o->level),
					     ARG_IS(2, o->name));
	close(fds[0]);
	close(fds[1]);
	return r;
}

/*
 * No SYN has data, see sockopt_is_withdrawn(): the program gets the error of a kernel
 * whose TCP Fast Open is off, and calls connect(), which is reported.
 */
static int refuse_fast_open(scmp_filter_ctx filter)
{
	const struct {
		int nr, flags; /* the argument */
	} sends[] = { { SCMP_SYS(sendto), 3 },
		      { SCMP_SYS(sendmsg), 2 },
		      { SCMP_SYS(sendmmsg), 3 } };
	int i, r = 0;

	for (i = 0; i < 3 && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EOPNOTSUPP), sends[i].nr, 1,
				     SCMP_CMP(sends[i].flags, SCMP_CMP_MASKED_EQ,
					      MSG_FASTOPEN, MSG_FASTOPEN));
	return r;
}

/* With i386 and ARM, whose programs run here, too. */
static int compose_filter(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6 };
	static const int protocols[] = { 0, IPPROTO_TCP };
	static const int numbers[] = { SYS_SOCKET, SYS_CONNECT, SYS_LISTEN,
				       SYS_SETSOCKOPT };
	int i, r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);

	if (!r && seccomp_arch_native() == SCMP_ARCH_X86_64)
		r = seccomp_arch_add(filter, SCMP_ARCH_X86);
	if (!r && seccomp_arch_native() == SCMP_ARCH_AARCH64)
		r = seccomp_arch_add(filter, SCMP_ARCH_ARM);
	for (i = 0; i < 4 && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(socket), 3,
				     ARG_IS(0, families[i / 2]), STREAM,
				     ARG_IS(2, protocols[i % 2]));
	/* Its other arguments are in memory. */
	for (i = 0; i < 4 && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(socketcall), 1,
				     ARG_IS(0, numbers[i]));
	r = r ?: seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(connect), 0);
	r = r ?: seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(listen), 0);
	r = r ?: refuse_fast_open(filter);
	return r ?: report_options(filter);
}

/*
 * libseccomp would load it without the flag: a signal could interrupt a call that is
 * served. Return: the listener, or -errno.
 */
static int load_filter(int code)
{
	const unsigned long flags =
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	static struct sock_filter filter[BPF_MAXINSNS];
	const ssize_t size = read(code, filter, sizeof(filter));
	const struct sock_fprog program = { size / sizeof(*filter), filter };
	int fd = -1, tries;

	/* The second time, as the kernel wants it of a process without CAP_SYS_ADMIN. */
	for (tries = 0; tries < 2 && fd < 0 && size > 0; tries++) {
		if (tries && (errno != EACCES || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)))
			break;
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	}
	return fd >= 0 ? fd : errno == EBUSY ? -EALREADY : -errno;
}

/* Return: the listener, or -errno. */
static int open_listener(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? compose_filter(filter) : -ENOSYS, code[2];

	if (!r && pipe2(code, O_CLOEXEC) == 0) {
		r = seccomp_export_bpf(filter, code[1]); /* less than a pipe holds */
		close(code[1]);
		r = r ?: load_filter(code[0]);
		close(code[0]);
	} else if (!r) {
		r = -errno;
	}
	seccomp_release(filter);
	return r;
}

/* A grandchild, without any signal: the program must not meet a child of ours. */
static void start_keeper(int channel)
{
	const pid_t self = getpid(), child = syscall(SYS_clone, 0, 0, 0, 0, 0);
	char number[16], pid[16];
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
	/* Not one of the standard descriptors, which the program may have closed. */
	channel = fcntl(channel, F_DUPFD, STDERR_FILENO + 1);
	if (channel < 0)
		_exit(EXIT_USAGE);
	snprintf(number, sizeof(number), "%d", channel);
	snprintf(pid, sizeof(pid), "%d", self);
	execl("/proc/self/exe", "mptcpaddr", KEEPER_COMMAND, number, pid, NULL);
	_exit(EXIT_USAGE);
}

int supervise_start(void)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	/* Yama would allow it to ancestors only. */
	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	start_keeper(pair[1]);
	close(pair[1]);
	/* No filter without somebody who answers: it cannot be removed. */
	if (read(pair[0], &r, sizeof(r)) != sizeof(r))
		r = -ECHILD;
	r = r ?: open_listener();
	if (r >= 0) {
		const int listener = r;

		if (send(pair[0], &listener, sizeof(listener), MSG_NOSIGNAL) < 0 ||
		    read(pair[0], &r, sizeof(r)) != sizeof(r))
			r = -EPIPE;
		close(listener);
	}
	close(pair[0]);
	return r;
}
