// SPDX-License-Identifier: MIT
/*
 * event.c - mptcp_pm events
 *
 * Input: what follows the netlink header, whose length and type are right; if the first
 * byte is odd, the whole message.
 */
#include "fuzz.h"
#include "mptcpaddr/netlink.h"
#include "nla.h"

#include <errno.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#define FAMILY 0x1c

static void check_address(const struct mpaddr *addr)
{
	fuzz_check(addr->family == AF_UNSPEC || addr->family == AF_INET ||
			   addr->family == AF_INET6,
		   "family %d", addr->family);
}

FUZZ_TARGET(data, size)
{
	struct input in = { data, data + size };
	const bool whole = input_u8(&in) & 1;
	const size_t len = input_left(&in) + (whole ? 0 : NLMSG_HDRLEN);
	struct pm_event ev = { .token = 1 };
	struct nlmsghdr *msg = malloc(len ?: 1);
	int r;

	if (whole)
		input_take(&in, msg, len);
	else
		*msg = (struct nlmsghdr){ .nlmsg_len = len, .nlmsg_type = FAMILY };
	if (!whole)
		input_take(&in, msg + 1, len - NLMSG_HDRLEN);
	if (nlmsg_ok(msg, len)) {
		r = pm_event_parse(msg, FAMILY, &ev);
		fuzz_check(r == 0 || r == -ENOMSG || r == -EBADMSG, "result %d", r);
		fuzz_check(r == 0 || ev.token == 1, "written despite an error");
		fuzz_check(r < 0 || pm_event_name(ev.type), "event %d", ev.type);
		check_address(&ev.local);
		check_address(&ev.remote);
	}
	free(msg);
	return 0;
}
