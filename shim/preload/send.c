// SPDX-License-Identifier: MIT
/*
 * send.c - sendto(), sendmsg(), sendmmsg(): with MSG_FASTOPEN they connect (RFC 7413)
 *
 * Without the flag they cost one test. With it, MPTCP sockets connect first and send the
 * data after the handshake, as TCP does without a cookie (RFC 7413, 3). Linux, up to 7.3
 * at least, never sends what an MPTCP server writes between a SYN with data and the third
 * ACK; before 6.2, MPTCP has no TCP Fast Open at all.
 */
#include "connect.h"
#include "mode.h"
#include "real.h"
#include "register.h"
#include "syscall.h"

/* Bit 0 of the sysctl is for clients: is the last digit odd? A newline follows. */
static bool tcp_has_fastopen(void)
{
	char text[16];
	const long n =
		sys_read_file("/proc/sys/net/ipv4/tcp_fastopen", text, sizeof(text));

	return n < 2 || (text[n - 2] & 1);
}

static bool has_peer(int fd, struct sockaddr_storage *ret_peer)
{
	socklen_t len = sizeof(*ret_peer);

	return !syscall(SYS_getpeername, fd, ret_peer, &len);
}

/* With MSG_DONTWAIT, a blocking socket does not block either. */
static int connect_now(int fd, const struct sockaddr *addr, socklen_t len, int flags)
{
	const int status = sys_call(SYS_fcntl, fd, F_GETFL, 0);
	const bool blocks = !(status & O_NONBLOCK) && flags & MSG_DONTWAIT;
	int r;

	if (blocks)
		sys_call(SYS_fcntl, fd, F_SETFL, status | O_NONBLOCK);
	r = connect_registered(fd, addr, len);
	if (blocks)
		sys_call(SYS_fcntl, fd, F_SETFL, status);
	return r;
}

/*
 * Return: whether to send, with *@flags; if not, the program's call fails with this
 * errno. The flag stays if TCP itself is to refuse the call. TCP calls connect() on a
 * connected socket, too: after EINPROGRESS it succeeds once, with any address.
 */
static bool connect_first(int fd, const struct sockaddr *addr, socklen_t len, int *flags)
{
	const int saved = errno;
	struct sockaddr_storage peer;
	bool ok = true;

	if (mode_known() != MODE_OFF && register_is_mptcp(fd) && tcp_has_fastopen()) {
		if (has_peer(fd, &peer)) {
			addr = (struct sockaddr *)&peer;
			len = sizeof(peer);
		}
		errno = saved;
		ok = !addr || connect_now(fd, addr, len, *flags) == 0;
		if (ok && has_peer(fd, &peer)) /* AF_UNSPEC does not connect */
			*flags &= ~MSG_FASTOPEN;
	}
	if (ok)
		errno = saved;
	return ok;
}

/* The program's pointer may be bad: a futex call that cannot wait reads both ends. */
static bool is_readable(const void *from, size_t size)
{
	const char *ends[] = { from, (const char *)from + size - 4 };
	bool good = true;
	int i;

	for (i = 0; i < 2 && good; i++)
		good = !futex_wait(ends[i], 0, 0) || errno == EAGAIN ||
		       errno == ETIMEDOUT;
	return good;
}

/* The kernel reads all of the message before it connects. */
static bool connect_message(int fd, const struct msghdr *msg, int *flags)
{
	const int saved = errno;
	const bool good =
		is_readable(msg, sizeof(*msg)) &&
		(!msg->msg_iovlen || is_readable(msg->msg_iov, sizeof(*msg->msg_iov)));

	errno = saved;
	return !good || connect_first(fd, msg->msg_name, msg->msg_namelen, flags);
}

HOOK ssize_t sendto(int fd, const void *data, size_t size, int flags,
		    CONST_SOCKADDR_ARG arg, socklen_t len)
{
	const struct sockaddr *addr = SOCKADDR_OF(arg);

	if (__builtin_expect(flags & MSG_FASTOPEN, 0) &&
	    !connect_first(fd, addr, len, &flags))
		return -1;
	return REAL(sendto)(fd, data, size, flags, addr, len);
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	if (__builtin_expect(flags & MSG_FASTOPEN, 0) &&
	    !connect_message(fd, msg, &flags))
		return -1;
	return REAL(sendmsg)(fd, msg, flags);
}

HOOK_TIME64(sendmsg);

HOOK int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int n, sendmmsg_flags flags)
{
	int now = flags;

	if (__builtin_expect(n && flags & MSG_FASTOPEN, 0)) {
		if (!connect_message(fd, &msgs->msg_hdr, &now))
			return -1;
		if (now != (int)flags) /* TCP connects only for the first one */
			n = 1;
	}
	return REAL(sendmmsg)(fd, msgs, n, now);
}

HOOK_TIME64(sendmmsg);
