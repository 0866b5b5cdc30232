// SPDX-License-Identifier: MIT
/*
 * sandbox.c - give up unneeded rights before serving programs
 *
 * The user stays root without root's capabilities: programs trust only a broker of root
 * (SO_PEERCRED). CAP_NET_ADMIN is for creating subflows, for events, and for sock_diag to
 * report the connection of a subflow; all files that are read belong to root.
 */
#include "broker.h"

#include <cap-ng.h>
#include <errno.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

/* SCMP_A1() and similar macros omit fields. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* A sanitizer's runtime library makes other system calls. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* By purpose. No exec, no clone, no connect(), no signals to other processes. */
static const int allowed_calls[] = {
	/* the loop */
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(read), SCMP_SYS(close), SCMP_SYS(clock_gettime),
	SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigreturn),
	/* programs, mptcpinfo, netlink */
	SCMP_SYS(pidfd_open), SCMP_SYS(accept4), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg),
	/* malloc() */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(futex),
	/* getrandom(), which blocks signals in glibc 2.41 */
	SCMP_SYS(getrandom), SCMP_SYS(rt_sigprocmask),
	/* the administrator's files, and cgroups */
	SCMP_SYS(openat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(lseek), SCMP_SYS(getdents64), SCMP_SYS(uname),
	/* files of metered.c */
	SCMP_SYS(flock), SCMP_SYS(pwrite64), SCMP_SYS(mkdirat),
	/* the state file, the log, net.mptcp.path_manager */
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwritev2), SCMP_SYS(pread64),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlinkat), SCMP_SYS(getpid),
	SCMP_SYS(geteuid), SCMP_SYS(getuid), SCMP_SYS(exit_group)
};

static const struct {
	int call;
	struct scmp_arg_cmp arg;
	bool probes; /* of rearm.c */
} restricted_calls[] = {
	/* Netlink and the control sockets of new clients, but none to other hosts. */
	{ SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_NETLINK) },
	{ SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_UNIX) },
	{ SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, SIOCGIFINDEX) }, /* if_nametoindex() */
	/* No memory may become executable. */
	{ SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0) },
	{ SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_INET), true },
	{ SCMP_SYS(socket), SCMP_A0(SCMP_CMP_EQ, AF_INET6), true },
	{ SCMP_SYS(connect), SCMP_A2(SCMP_CMP_LE, 28 /* sockaddr_in6 */), true },
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

static int filter_calls(bool probes)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	unsigned int i;
	int r = 0;

	if (!filter)
		return -ENOMEM;
	for (i = 0; i < LENGTH(allowed_calls) && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed_calls[i], 0);
	for (i = 0; i < LENGTH(restricted_calls) && r == 0; i++)
		if (probes || !restricted_calls[i].probes)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
					     restricted_calls[i].call, 1,
					     restricted_calls[i].arg);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

static int drop_capabilities(void)
{
	capng_select_t sets = CAPNG_SELECT_CAPS;

	/* systemd may have done it (CapabilityBoundingSet=), and forbidden capset(2). */
	if (capng_get_caps_process() == 0 &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
			     CAP_NET_ADMIN);
		if (capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE)
			return 0;
	}
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		sets = CAPNG_SELECT_BOTH;
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN) < 0)
		return -EINVAL;
	return capng_apply(sets) < 0 ? -EPERM : 0;
}

int sandbox_enter(bool probes, const char **ret_what)
{
	int r;

	*ret_what = "capabilities";
	r = drop_capabilities();
	if (r < 0)
		return r;
	*ret_what = "no new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*ret_what = "seccomp";
	return SANITIZED ? 0 : filter_calls(probes);
}
