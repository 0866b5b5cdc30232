// SPDX-License-Identifier: MIT
/*
 * supervise_option.c - socket options that TCP takes and MPTCP refuses
 *
 * In a supervised program they are left out, because another process cannot know whether
 * a socket may still be replaced by a plain one. Values that TCP refuses give its errno.
 */
#include "shim/common/sockopt.h"
#include "shim/preload/refused.h"
#include "supervise.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define VALUE_MAX 256

static bool lacks_option(int fd, const struct sockopt *opt)
{
	const int one = 1;

	return setsockopt(fd, opt->level, opt->name, &one, sizeof(one)) < 0 &&
	       (errno == EOPNOTSUPP || errno == ENOPROTOOPT);
}

unsigned int option_list_refused(const struct sockopt *ret[SOCKOPTS_MAX])
{
	int mptcp = socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP), plain;
	const bool v6 = mptcp >= 0;
	unsigned int n = 0;
	size_t i;

	if (!v6)
		mptcp = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	plain = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
	for (i = 0; mptcp >= 0 && i < n_sockopts; i++)
		if (lacks_option(mptcp, &sockopts[i]) &&
		    !lacks_option(plain, &sockopts[i]))
			ret[n++] = &sockopts[i];
	close(mptcp);
	close(plain);
	return n;
}

/* Return: 0, or an errno for the program. */
static int try_option(int fd, int level, int name, const void *value, socklen_t len)
{
	const struct sockopt *opt = sockopt_find(level, name);
	const bool harmless =
		opt && (opt->kind == SOCKOPT_HINT || opt->kind == SOCKOPT_FLAG);
	int domain = AF_INET, plain, error;
	socklen_t size = sizeof(domain);

	if (!setsockopt(fd, level, name, value, len))
		return 0;
	error = errno;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	plain = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (setsockopt(plain, level, name, value, len) < 0)
		error = errno;
	else if (opt && opt->kind != SOCKOPT_PROMISE)
		error = 0;
	close(plain);
	if (!error)
		refused_report(level, name,
			       harmless ? SOCKOPT_IGNORED : SOCKOPT_LEFT_OUT);
	return error;
}

void option_settle(int listener, const struct call *call, int fd)
{
	struct seccomp_notif_resp answer = { .id = call->id };
	const unsigned int len = call->args[4];
	char value[VALUE_MAX];
	const struct iovec to = { value, len };
	const struct iovec from = { (void *)(uintptr_t)call->args[3], len };
	const void *at = value;

	if (len > sizeof(value)) {
		call_continue(listener, call->id);
		return;
	}
	if (process_vm_readv(call->tid, &to, 1, &from, 1, 0) != (ssize_t)len)
		at = (const void *)1; /* a bad pointer for the kernel, too */
	answer.error = -try_option(fd, call->args[1], call->args[2], at, len);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}
