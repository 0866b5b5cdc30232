// SPDX-License-Identifier: MIT
/*
 * send.c - sendto(), sendmsg(), sendmmsg(): with MSG_FASTOPEN they connect (RFC 7413)
 *
 * Without the flag they cost one test. Before Linux 6.2, MPTCP has no TCP Fast Open.
 * TCP without a cookie sends a plain SYN, and the data after the handshake (RFC 7413,
 * 3): connecting first and sending without the flag looks the same to the program.
 */
#include "race.h"
#include "real.h"
#include "register.h"
#include "syscall.h"

/* Bit 0 of the sysctl is for clients: is the last digit odd? A newline follows. */
static bool tcp_has_fastopen(void)
{
	char text[16];
	const long n =
		sys_read_file("/proc/sys/net/ipv4/tcp_fastopen", text, sizeof(text));

	return n > 1 && (text[n - 2] & 1);
}

/*
 * After a call with MSG_FASTOPEN has failed. Return: true if the socket is connected now
 * and the data must be sent without the flag; false with the errno for the program.
 */
static bool connect_without_fastopen(int fd, const void *addr, socklen_t len)
{
	if (errno != EOPNOTSUPP || !addr)
		return false;
	/* Where TCP refuses, too, the program must see TCP's error. */
	if (!register_is_mptcp(fd) || !tcp_has_fastopen()) {
		errno = EOPNOTSUPP;
		return false;
	}
	return REAL(connect)(fd, addr, len) == 0;
}

/* @saved: the errno from before, which a second try has changed. */
static void end_send(struct handover *handover, int fd, ssize_t result,
		     enum first_why why, int saved)
{
	if (result >= 0)
		errno = saved;
	if (!handover)
		return;
	register_started(handover, fd, REGISTER_NO_LEN, result, why);
	register_done(handover);
}

/* The kernel has not read *@msg: a futex that must not wait looks at both ends of it. */
static enum first_why bind_first(struct handover *handover, int fd,
				 const struct msghdr *msg)
{
	const int saved = errno;
	const char *ends[] = { (const char *)msg, (const char *)(msg + 1) - 4 };
	bool good = true;
	int i;

	for (i = 0; i < 2; i++)
		good &= !futex_wait(ends[i], 0, 0) || errno == EAGAIN ||
			errno == ETIMEDOUT;
	errno = saved;
	return good ? race_bind(handover, fd, msg->msg_name, msg->msg_namelen)
		    : FIRST_WHY_ROUTING;
}

HOOK ssize_t sendto(int fd, const void *data, size_t size, int flags,
		    CONST_SOCKADDR_ARG arg, socklen_t len)
{
	const struct sockaddr *addr = SOCKADDR_OF(arg);
	struct handover *handover;
	const int saved = errno;
	enum first_why why;
	ssize_t r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendto)(fd, data, size, flags, addr, len);
	handover = register_begin(fd);
	why = race_bind(handover, fd, addr, len);
	r = REAL(sendto)(fd, data, size, flags, addr, len);
	if (r < 0 && connect_without_fastopen(fd, addr, len))
		r = REAL(sendto)(fd, data, size, flags & ~MSG_FASTOPEN, addr, len);
	end_send(handover, fd, r, why, saved);
	return r;
}

/* After EOPNOTSUPP the kernel has read *@msg: the pointer is good. */
static bool can_retry(ssize_t result, int fd, const struct msghdr *msg)
{
	return result < 0 && errno == EOPNOTSUPP &&
	       connect_without_fastopen(fd, msg->msg_name, msg->msg_namelen);
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct handover *handover;
	const int saved = errno;
	enum first_why why;
	ssize_t r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendmsg)(fd, msg, flags);
	handover = register_begin(fd);
	why = bind_first(handover, fd, msg);
	r = REAL(sendmsg)(fd, msg, flags);
	if (can_retry(r, fd, msg))
		r = REAL(sendmsg)(fd, msg, flags & ~MSG_FASTOPEN);
	end_send(handover, fd, r, why, saved);
	return r;
}

HOOK_TIME64(sendmsg);

HOOK int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, sendmmsg_flags flags)
{
	struct handover *handover;
	const int saved = errno;
	enum first_why why;
	int r;

	if (__builtin_expect(!(flags & MSG_FASTOPEN), 1))
		return REAL(sendmmsg)(fd, msgs, n, flags);
	handover = register_begin(fd);
	why = n ? bind_first(handover, fd, &msgs->msg_hdr) : FIRST_WHY_ROUTING;
	r = REAL(sendmmsg)(fd, msgs, n, flags);
	if (n && can_retry(r, fd, &msgs->msg_hdr))
		r = REAL(sendmmsg)(fd, msgs, n, flags & ~MSG_FASTOPEN);
	end_send(handover, fd, r, why, saved);
	return r;
}

HOOK_TIME64(sendmmsg);
