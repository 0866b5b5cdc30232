// SPDX-License-Identifier: MIT
/*
 * unix_name.c - names of local sockets, and who holds them
 *
 * A listener's queue may be full, and a bound socket may not listen: then no connection
 * says who holds the name, but sock_diag does.
 */
#include "unix_name.h"
#include "mptcpaddr/broker.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

#define DUMP_SIZE  8192		      /* one answer of the kernel */
#define DUMP_READS 256		      /* then it is unknown: some ten thousand sockets */
#define STATES	   (1 << 7 | 1 << 10) /* TCP_CLOSE, bound; TCP_LISTEN */

uid_t unix_name_peer(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0
		       ? UNIX_NAME_UNKNOWN
		       : peer.uid;
}

static uid_t ask_listener(const char *name)
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	const int fd = syscall(SYS_socket, AF_UNIX, type, 0);
	uid_t uid = UNIX_NAME_UNKNOWN;
	struct sockaddr_un addr;
	socklen_t len = unix_name_address(name, &addr);

	if (fd < 0)
		return uid;
	if (!syscall(SYS_connect, fd, &addr, len))
		uid = unix_name_peer(fd);
	syscall(SYS_close, fd);
	return uid;
}

/* Return: whether this is the socket, then its user in *@ret_uid. */
static bool match_socket(const struct nlmsghdr *head, const char *name, size_t name_len,
			 uid_t *ret_uid)
{
	const char *at = (const char *)NLMSG_DATA(head) +
			 NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	const char *end = (const char *)head + head->nlmsg_len;
	uid_t uid = UNIX_NAME_UNKNOWN;
	const struct nlattr *attr;
	bool found = false;
	size_t len;

	for (; end - at >= NLA_HDRLEN; at += NLA_ALIGN(attr->nla_len)) {
		attr = (const struct nlattr *)at;
		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > end - at)
			break;
		len = attr->nla_len - NLA_HDRLEN;
		if (attr->nla_type == UNIX_DIAG_NAME)
			found = len == name_len + 1 && !at[NLA_HDRLEN] &&
				str_is(at + NLA_HDRLEN + 1, at + NLA_HDRLEN + len, name);
		if (attr->nla_type == UNIX_DIAG_UID && len == sizeof(uid))
			uid = *(const uid_t *)(at + NLA_HDRLEN);
	}
	if (found)
		*ret_uid = uid;
	return found;
}

/* Return: whether it was the last answer, or had the socket. */
static bool find_in_answer(const char *buffer, long n, const char *name, uid_t *ret_uid)
{
	const struct nlmsghdr *head = (const struct nlmsghdr *)buffer;

	for (; NLMSG_OK(head, n); head = NLMSG_NEXT(head, n))
		if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    match_socket(head, name, str_len(name), ret_uid))
			return true;
	return false;
}

static uid_t ask_kernel(const char *name)
{
	const struct {
		struct nlmsghdr head;
		struct unix_diag_req body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = AF_UNIX,
			  .udiag_states = STATES,
			  .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_UID },
	};
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const int fd = syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			       NETLINK_SOCK_DIAG);
	char buffer[DUMP_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	uid_t uid = UNIX_NAME_UNKNOWN;
	long n;
	int i;

	if (fd < 0)
		return uid;
	n = syscall(SYS_sendto, fd, &request, sizeof(request), 0, &kernel,
		    sizeof(kernel));
	for (i = 0; i < DUMP_READS && n > 0; i++) {
		n = syscall(SYS_recvfrom, fd, buffer, sizeof(buffer), MSG_DONTWAIT, NULL,
			    NULL);
		if (n > 0 && find_in_answer(buffer, n, name, &uid))
			break;
	}
	syscall(SYS_close, fd);
	return uid;
}

uid_t unix_name_owner(const char *name)
{
	const uid_t uid = ask_listener(name);

	return uid == UNIX_NAME_UNKNOWN ? ask_kernel(name) : uid;
}

bool unix_name_broker(int fd, char ret_path[static UNIX_NAME_MAX])
{
	char digits[24];
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return false;
	str_append(ret_path,
		   STR_APPEND(ret_path, 0, UNIX_NAME_MAX, BROKER_DIR "/socket."),
		   UNIX_NAME_MAX, str_number(digits + sizeof(digits) - 1, cookie));
	return true;
}
