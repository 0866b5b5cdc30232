// SPDX-License-Identifier: MIT
/*
 * sockets.c - every kind of socket: the results of socket() and the socket's options
 */
#include "program.h"

static const int domains[] = { AF_UNSPEC, AF_UNIX, AF_INET,  AF_INET6, AF_NETLINK,
			       AF_PACKET, AF_ALG,  AF_VSOCK, AF_KEY,   AF_BLUETOOTH,
			       AF_IPX,	  -1,	   46,	     1000 };
static const int types[] = { 0,
			     SOCK_STREAM,
			     SOCK_DGRAM,
			     SOCK_RAW,
			     SOCK_RDM,
			     SOCK_SEQPACKET,
			     SOCK_DCCP,
			     SOCK_PACKET,
			     SOCK_STREAM | SOCK_NONBLOCK,
			     SOCK_STREAM | SOCK_CLOEXEC,
			     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			     SOCK_DGRAM | SOCK_NONBLOCK,
			     SOCK_DGRAM | SOCK_CLOEXEC,
			     SOCK_STREAM | 0x100,
			     SOCK_STREAM | 0x40000000,
			     -1,
			     99 };
static const int protocols[] = { 0,
				 IPPROTO_ICMP,
				 IPPROTO_TCP,
				 IPPROTO_UDP,
				 33,
				 IPPROTO_SCTP,
				 IPPROTO_UDPLITE,
				 IPPROTO_ICMPV6,
				 255,
				 256,
				 262,
				 263,
				 -1,
				 65535 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int option(int fd, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

/* TCP is the one protocol that the library may change. */
static bool is_tcp(int domain, int type, int protocol)
{
	return (domain == AF_INET || domain == AF_INET6) && (type & 0xf) == SOCK_STREAM &&
	       (protocol == 0 || protocol == IPPROTO_TCP);
}

static void try(int domain, int type, int protocol)
{
	int fd, saved, number;

	errno = PRESET_ERRNO;
	fd = socket(domain, type, protocol);
	saved = errno;
	printf("socket(%d, %#x, %d) = ", domain, type, protocol);
	if (fd < 0) {
		printf("%d %s\n", fd, error_name(saved));
		return;
	}
	number = option(fd, SO_PROTOCOL);
	if (is_tcp(domain, type, protocol))
		number = IPPROTO_TCP;
	printf("%d errno %s domain %d type %d protocol %d flags %#x %#x\n", fd,
	       error_name(saved), option(fd, SO_DOMAIN), option(fd, SO_TYPE), number,
	       fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	close(fd);
}

int main(void)
{
	alarm(PROGRAM_SECONDS);
	for (size_t d = 0; d < COUNT(domains); d++)
		for (size_t t = 0; t < COUNT(types); t++)
			for (size_t p = 0; p < COUNT(protocols); p++)
				try(domains[d], types[t], protocols[p]);
	return 0;
}
