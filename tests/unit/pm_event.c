// SPDX-License-Identifier: MIT
/*
 * pm_event.c - event messages, valid and broken
 */
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "play.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY 33

struct message {
	_Alignas(struct nlmsghdr) char data[512];
};

static struct nlmsghdr *head(struct message *m)
{
	return (struct nlmsghdr *)m->data;
}

static void begin(struct message *m, uint8_t cmd)
{
	struct genlmsghdr genl = { .cmd = cmd, .version = 1 };

	memset(m, 0, sizeof(*m));
	head(m)->nlmsg_type = FAMILY;
	head(m)->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	memcpy(m->data + NLMSG_HDRLEN, &genl, sizeof(genl));
}

static void put(struct message *m, uint16_t type, const void *value, uint16_t len)
{
	struct nlattr attr = { .nla_len = NLA_HDRLEN + len, .nla_type = type };
	char *to = m->data + head(m)->nlmsg_len;

	memcpy(to, &attr, sizeof(attr));
	memcpy(to + NLA_HDRLEN, value, len);
	head(m)->nlmsg_len += NLA_ALIGN(attr.nla_len);
}

static void put_u8(struct message *m, uint16_t type, uint8_t value)
{
	put(m, type, &value, sizeof(value));
}

static void put_u16(struct message *m, uint16_t type, uint16_t value)
{
	put(m, type, &value, sizeof(value));
}

static void put_token(struct message *m, uint32_t token)
{
	put(m, MPTCP_ATTR_TOKEN, &token, sizeof(token));
}

static void put_ip(struct message *m, uint16_t type4, uint16_t type6, const char *ip)
{
	struct in6_addr bytes;

	if (inet_pton(AF_INET, ip, &bytes) == 1)
		put(m, type4, &bytes, 4);
	else if (inet_pton(AF_INET6, ip, &bytes) == 1)
		put(m, type6, &bytes, 16);
	else
		cr_assert_fail("%s", ip);
}

/* As mptcp_event_sub_established() and its like put one together. */
static void tuple(struct message *m, uint8_t cmd, uint16_t family, const char *local,
		  const char *remote)
{
	begin(m, cmd);
	put_token(m, TOKEN);
	put_u16(m, MPTCP_ATTR_FAMILY, family);
	put_ip(m, MPTCP_ATTR_SADDR4, MPTCP_ATTR_SADDR6, local);
	put_ip(m, MPTCP_ATTR_DADDR4, MPTCP_ATTR_DADDR6, remote);
	put_u16(m, MPTCP_ATTR_SPORT, htons(40000));
	put_u16(m, MPTCP_ATTR_DPORT, htons(80));
	put_u8(m, MPTCP_ATTR_LOC_ID, 3);
	put_u8(m, MPTCP_ATTR_REM_ID, 4);
	put_u8(m, MPTCP_ATTR_BACKUP, 1);
	put_u8(m, MPTCP_ATTR_ERROR, ECONNREFUSED);
}

static void is_addr(const struct mpaddr *addr, const char *text)
{
	struct mpaddr expected = at(text);
	char got[MPADDR_TEXT_MAX];

	cr_assert(mpaddr_equal(addr, &expected), "%s in place of %s",
		  mpaddr_text(addr, got), text);
}

static struct pm_event parsed(struct message *m)
{
	struct pm_event ev;

	cr_assert_eq(pm_event_parse(head(m), FAMILY, &ev), 0);
	return ev;
}

Test(pm_event, subflow_events_have_addresses_ids_and_error)
{
	static const struct {
		uint8_t cmd;
		enum pm_event_type type;
	} kinds[] = {
		{ MPTCP_EVENT_CREATED, PM_EVENT_CREATED },
		{ MPTCP_EVENT_ESTABLISHED, PM_EVENT_ESTABLISHED },
		{ MPTCP_EVENT_SUB_ESTABLISHED, PM_EVENT_SUB_ESTABLISHED },
		{ MPTCP_EVENT_SUB_CLOSED, PM_EVENT_SUB_CLOSED },
		{ MPTCP_EVENT_SUB_PRIORITY, PM_EVENT_SUB_PRIORITY },
	};
	struct message m;
	struct pm_event ev;
	unsigned int i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		tuple(&m, kinds[i].cmd, AF_INET, "10.0.2.2", "10.0.2.1");
		ev = parsed(&m);
		cr_assert_eq(ev.type, kinds[i].type);
		cr_assert_eq(ev.token, TOKEN);
		cr_assert_eq(ev.family, AF_INET);
		is_addr(&ev.local, "10.0.2.2:40000");
		is_addr(&ev.remote, "10.0.2.1:80");
		cr_assert_eq(ev.local_id, 3);
		cr_assert_eq(ev.remote_id, 4);
		cr_assert_eq(ev.error, ECONNREFUSED);
		cr_assert(ev.backup);
		cr_assert_not(ev.server_side);
	}
}

Test(pm_event, mapped_addresses_become_ipv4)
{
	static const struct {
		const char *local, *remote, *parsed_local, *parsed_remote;
	} cases[] = {
		{ "2001:db8::2", "2001:db8::1", "[2001:db8::2]:40000",
		  "[2001:db8::1]:80" },
		{ "::ffff:10.0.2.2", "::ffff:10.0.2.1", "10.0.2.2:40000", "10.0.2.1:80" },
	};
	struct message m;
	struct pm_event ev;

	for (int i = 0; i < 2; i++) {
		tuple(&m, MPTCP_EVENT_CREATED, AF_INET6, cases[i].local, cases[i].remote);
		put_u8(&m, MPTCPADDR_ATTR_SERVER_SIDE, 1);
		ev = parsed(&m);
		cr_assert_eq(ev.family, AF_INET6);
		is_addr(&ev.local, cases[i].parsed_local);
		is_addr(&ev.remote, cases[i].parsed_remote);
		cr_assert(ev.server_side);
	}
}

Test(pm_event, announcement_has_the_family_of_its_address)
{
	static const char *const ips[] = { "10.0.2.1", "2001:db8::1" };
	static const char *const texts[] = { "10.0.2.1:8443", "[2001:db8::1]:8443" };
	struct message m;
	struct pm_event ev;
	int i;

	for (i = 0; i < 2; i++) {
		begin(&m, MPTCP_EVENT_ANNOUNCED);
		put_token(&m, TOKEN);
		put_u8(&m, MPTCP_ATTR_REM_ID, 9);
		put_ip(&m, MPTCP_ATTR_DADDR4, MPTCP_ATTR_DADDR6, ips[i]);
		put_u16(&m, MPTCP_ATTR_DPORT, htons(8443));
		ev = parsed(&m);
		cr_assert_eq(ev.type, PM_EVENT_ANNOUNCED);
		is_addr(&ev.remote, texts[i]);
		cr_assert_eq(ev.remote_id, 9);
	}
}

Test(pm_event, withdrawal_and_close_have_few_attributes)
{
	struct message m;
	struct pm_event ev;

	begin(&m, MPTCP_EVENT_REMOVED);
	put_token(&m, TOKEN);
	put_u8(&m, MPTCP_ATTR_REM_ID, 0);
	ev = parsed(&m);
	cr_assert_eq(ev.type, PM_EVENT_REMOVED);
	cr_assert_eq(ev.remote_id, 0);
	begin(&m, MPTCP_EVENT_CLOSED);
	put_token(&m, TOKEN);
	ev = parsed(&m);
	cr_assert_eq(ev.type, PM_EVENT_CLOSED);
}

Test(pm_event, other_messages_are_ignored)
{
	static const uint8_t cmds[] = { MPTCPADDR_EV_LISTENER_CREATED, 0, 200 };
	struct pm_event ev = { .token = 7 };
	struct message m;
	unsigned int i;

	for (i = 0; i < sizeof(cmds); i++) {
		begin(&m, cmds[i]);
		put_token(&m, TOKEN);
		cr_assert_eq(pm_event_parse(head(&m), FAMILY, &ev), -ENOMSG);
	}
	tuple(&m, MPTCP_EVENT_CREATED, AF_INET, "10.0.2.2", "10.0.2.1");
	cr_assert_eq(pm_event_parse(head(&m), FAMILY + 1, &ev), -ENOMSG);
	cr_assert_eq(ev.token, 7, "written only on success");
}

Test(pm_event, attributes_of_newer_kernels_are_ignored)
{
	struct message m;
	struct pm_event ev;

	tuple(&m, MPTCP_EVENT_CREATED, AF_INET, "10.0.2.2", "10.0.2.1");
	put(&m, 90, "something new", 13);
	put_u8(&m, MPTCPADDR_ATTR_SERVER_SIDE, 1);
	ev = parsed(&m);
	cr_assert(ev.server_side);
}

Test(pm_event, message_without_a_token_is_bad)
{
	struct message m;
	struct pm_event ev;

	begin(&m, MPTCP_EVENT_CLOSED);
	cr_assert_eq(pm_event_parse(head(&m), FAMILY, &ev), -EBADMSG);
	put_u8(&m, MPTCP_ATTR_REM_ID, 9);
	cr_assert_eq(pm_event_parse(head(&m), FAMILY, &ev), -EBADMSG);
}

Test(pm_event, attribute_shorter_than_its_type_is_bad)
{
	static const uint16_t types[] = { MPTCP_ATTR_FAMILY, MPTCP_ATTR_LOC_ID,
					  MPTCP_ATTR_REM_ID, MPTCP_ATTR_SADDR4,
					  MPTCP_ATTR_SADDR6, MPTCP_ATTR_DADDR4,
					  MPTCP_ATTR_DADDR6, MPTCP_ATTR_SPORT,
					  MPTCP_ATTR_DPORT,  MPTCP_ATTR_BACKUP,
					  MPTCP_ATTR_ERROR,  MPTCPADDR_ATTR_SERVER_SIDE };
	struct message m;
	struct pm_event ev;
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		begin(&m, MPTCP_EVENT_SUB_CLOSED);
		put_token(&m, TOKEN);
		put(&m, types[i], "", 0);
		cr_assert_eq(pm_event_parse(head(&m), FAMILY, &ev), -EBADMSG,
			     "attribute %u", types[i]);
	}
}

/* Copies of exactly their length, so that a sanitizer sees a read beyond. */
static int parse_copy(const struct message *m, unsigned int len, struct pm_event *ev)
{
	struct nlmsghdr *copy = malloc(len);
	int r;

	memcpy(copy, m->data, len);
	copy->nlmsg_len = len;
	r = pm_event_parse(copy, FAMILY, ev);
	free(copy);
	return r;
}

Test(pm_event, truncated_message_is_never_read_beyond_its_end)
{
	struct message m;
	struct pm_event ev;
	unsigned int len, full;
	int r;

	tuple(&m, MPTCP_EVENT_SUB_CLOSED, AF_INET6, "2001:db8::2", "2001:db8::1");
	full = head(&m)->nlmsg_len;
	for (len = NLMSG_HDRLEN; len < full; len++) {
		ev.token = 0;
		r = parse_copy(&m, len, &ev);
		cr_assert(r == 0 || r == -EBADMSG, "%u bytes: %d", len, r);
		cr_assert(r < 0 || ev.token == TOKEN);
	}
	cr_assert_eq(parse_copy(&m, NLMSG_HDRLEN + GENL_HDRLEN - 1, &ev), -EBADMSG);
	cr_assert_eq(parse_copy(&m, full, &ev), 0);
}

Test(pm_event, garbage_is_never_read_beyond_its_end)
{
	struct message m, broken;
	struct pm_event ev;
	unsigned int i, flips, accepted = 0;
	int r;

	srandom(20240722);
	tuple(&m, MPTCP_EVENT_SUB_CLOSED, AF_INET, "10.0.2.2", "10.0.2.1");
	for (i = 0; i < 20000; i++) {
		broken = m;
		for (flips = 1 + random() % 8; flips; flips--)
			broken.data[NLMSG_HDRLEN + random() % (head(&m)->nlmsg_len -
							       NLMSG_HDRLEN)] = random();
		r = parse_copy(&broken,
			       NLMSG_HDRLEN + random() % (head(&m)->nlmsg_len -
							  NLMSG_HDRLEN + 1),
			       &ev);
		cr_assert(r == 0 || r == -EBADMSG || r == -ENOMSG);
		accepted += !r;
	}
	cr_assert_gt(accepted, 0);
	cr_assert_lt(accepted, 20000);
}

Test(pm_event, batch_of_datagrams_gives_its_events_and_skips_the_rest)
{
	struct pm_event events[PM_EVENTS_BATCH];
	struct message m, other;
	unsigned int i, n = 99;
	char large[4096] = { 0 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	cr_assert_eq(pm_events_read(fds[0], FAMILY, events, &n), 0);
	cr_assert_eq(n, 0);

	begin(&other, MPTCPADDR_EV_LISTENER_CREATED);
	for (i = 0; i < 4; i++) {
		begin(&m, MPTCP_EVENT_CLOSED);
		put_token(&m, i);
		send(fds[1], m.data, head(&m)->nlmsg_len, 0);
		send(fds[1], other.data, head(&other)->nlmsg_len, 0);
		send(fds[1], m.data, NLMSG_HDRLEN - 1, 0);	  /* no header */
		send(fds[1], m.data, head(&m)->nlmsg_len - 1, 0); /* cut */
		send(fds[1], "", 0, 0);
	}
	head(&m)->nlmsg_len = sizeof(large); /* cut by the reader's own buffer */
	memcpy(large, m.data, sizeof(m.data));
	send(fds[1], large, sizeof(large), 0);

	cr_assert_eq(pm_events_read(fds[0], FAMILY, events, &n), 21);
	cr_assert_eq(n, 4);
	for (i = 0; i < 4; i++)
		cr_assert_eq(events[i].token, i);
	cr_assert_eq(pm_events_read(fds[0], FAMILY, events, &n), 0);
	cr_assert_eq(n, 0);
	cr_assert_eq(pm_events_read(-1, FAMILY, events, &n), -EBADF);
}

Test(pm_event, full_batch_leaves_the_rest_for_the_next)
{
	static const int batches[] = { PM_EVENTS_BATCH, PM_EVENTS_BATCH, 5, 0 };
	struct pm_event events[PM_EVENTS_BATCH];
	unsigned int i, n, seen = 0;
	struct message m;
	int fds[2], got;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	for (i = 0; i < 2 * PM_EVENTS_BATCH + 5; i++) {
		begin(&m, MPTCP_EVENT_CLOSED);
		put_token(&m, i);
		cr_assert_gt(send(fds[1], m.data, head(&m)->nlmsg_len, 0), 0);
	}
	for (i = 0; i < sizeof(batches) / sizeof(*batches); i++) {
		got = pm_events_read(fds[0], FAMILY, events, &n);
		cr_assert_eq(got, batches[i]);
		cr_assert_eq(n, batches[i]);
		for (; n; n--, seen++)
			cr_assert_eq(events[got - n].token, seen);
	}
}
