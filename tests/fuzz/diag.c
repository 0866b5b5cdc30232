// SPDX-License-Identifier: MIT
/*
 * diag.c - answers of sock_diag and rtnetlink, and rtnetlink's notifications
 *
 * Input: which question, then datagrams, each a length and messages. The real functions
 * read them from a socket. Lengths and sequence numbers of the messages are right, unless
 * a byte before them is odd; the last datagram is an error, so that every answer ends.
 */
#include "fuzz.h"
#include "mptcpaddr/netlink.h"
#include "nla.h"
#include "shim/netlink/request.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netlink/msg.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX 8192
#define DATAGRAMS    8

static struct input *answers;
static int ours = -1;

int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);

/* One message at @to. Return: its length. */
static size_t put_message(struct input *in, uint32_t seq, char *to, size_t room)
{
	static const uint16_t types[] = { SOCK_DIAG_BY_FAMILY, RTM_NEWLINK, RTM_DELLINK,
					  RTM_NEWADDR,	       RTM_DELADDR, RTM_NEWROUTE,
					  NLMSG_DONE,	       NLMSG_ERROR };
	const uint8_t what = input_u8(in);
	const size_t len = NLMSG_HDRLEN + input_u16(in) % 1024;
	struct nlmsghdr head = { .nlmsg_len = len,
				 .nlmsg_type = types[what >> 1 & 7],
				 .nlmsg_flags = what & 0x10 ? NLM_F_MULTI : 0,
				 .nlmsg_seq = seq };

	if (NLMSG_ALIGN(len) > room)
		return 0;
	if (what & 1)
		input_take(in, &head, sizeof(head));
	memset(to, 0, NLMSG_ALIGN(len));
	memcpy(to, &head, sizeof(head));
	input_take(in, to + NLMSG_HDRLEN, len - NLMSG_HDRLEN);
	return NLMSG_ALIGN(len);
}

static void send_answers(uint32_t seq)
{
	_Alignas(struct nlmsghdr) char data[DATAGRAM_MAX];
	const struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} last = { { sizeof(last), NLMSG_ERROR, 0, seq, 0 }, { .error = -EIO } };
	size_t len, more;
	unsigned int i;

	for (i = 0; i < DATAGRAMS && input_left(answers); i++) {
		unsigned int messages = input_u8(answers) % 8;

		len = 0;
		do {
			more = put_message(answers, seq, data + len, sizeof(data) - len);
			len += more;
		} while (more && messages--);
		fuzz_check(write(ours, data, len) == (ssize_t)len, "datagram lost");
	}
	fuzz_check(write(ours, &last, sizeof(last)) == sizeof(last), "the last one lost");
}

/* The kernel's end of a netlink socket is `ours`. */
int __wrap_socket(int family, int type, int protocol)
{
	int fds[2];

	(void)protocol;
	fuzz_check(family == AF_NETLINK, "a socket of family %d", family);
	fuzz_check(!socketpair(AF_UNIX, SOCK_DGRAM | (type & SOCK_CLOEXEC), 0, fds),
		   "no sockets");
	if (ours >= 0)
		close(ours);
	ours = fds[1];
	return fds[0];
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)fd;
	(void)addr;
	(void)len;
	return 0;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	const struct nlmsghdr *request = data;

	(void)fd;
	(void)flags;
	send_answers(request->nlmsg_seq);
	return len;
}

static void follow_links(void)
{
	struct rtnl_table table = { .known = true };
	int fd = rtnl_watch();
	unsigned int i;

	send_answers(0);
	rtnl_follow(fd, &table);
	for (i = 0; i < table.n_links; i++)
		fuzz_check(memchr(table.links[i].dev, '\0', sizeof(table.links[i].dev)),
			   "a name without end");
	for (i = 0; i < table.n_addrs; i++)
		fuzz_check(table.addrs[i].addr.family == AF_INET ||
				   table.addrs[i].addr.family == AF_INET6,
			   "an address of no family");
	rtnl_free_table(&table);
	close(fd);
}

static void read_subflows(void)
{
	struct diag_subflows all = { 0 };
	unsigned int i;

	if (diag_read_subflows(&all) == 0)
		for (i = 0; i < all.n; i++)
			fuzz_check(all.v[i].sub.local.family == AF_INET ||
					   all.v[i].sub.local.family == AF_INET6,
				   "a subflow of no family");
	free(all.v);
}

static void read_owner(void)
{
	struct diag_owner owner;
	int fd = diag_open();

	diag_read_owner(fd, 0x1234, &owner);
	close(fd);
}

static void ask_about(const struct pm_cmd *cmd, unsigned int which)
{
	struct pm_health health;
	int fd;

	if (which == 3) {
		fd = diag_open();
		diag_read_health(fd, cmd, &health);
		close(fd);
	} else if (which == 4) {
		diag_abort(cmd->token, &cmd->local, &cmd->remote, 2);
	} else {
		diag_join_port(cmd->token, &cmd->local, &cmd->remote);
	}
}

FUZZ_TARGET(data, size)
{
	struct input in = { data, data + size };
	struct pm_cmd cmd = { .token = 0x1234 };
	const unsigned int which = input_u8(&in) % 6;

	answers = &in;
	mpaddr_parse("10.0.2.2", &cmd.local);
	mpaddr_parse("10.0.2.1", &cmd.remote);
	cmd.remote.port = 80;
	if (which == 0)
		follow_links();
	else if (which == 1)
		read_subflows();
	else if (which == 2)
		read_owner();
	else
		ask_about(&cmd, which);
	close(ours);
	ours = -1;
	return 0;
}
