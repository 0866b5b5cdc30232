// SPDX-License-Identifier: MIT
/*
 * raw.c - mptcp_info equals the program's own getsockopt(MPTCP_INFO)
 *
 * The distribution's ss prints only a part of it, so this test is the program.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint.h"
#include "info.h"
#include "mptcpaddr/uapi.h"
#include "skip.h"
#include "until.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef MPTCP_INFO
#define MPTCP_INFO 1
#endif
#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define DATA  50000
#define LOOKS 50

struct raw {
	struct mptcpaddr_info info;
	socklen_t len; /* that this kernel has */
};

static struct raw raw_info(int fd)
{
	struct raw raw = { .len = sizeof(raw.info) };

	cr_assert_eq(getsockopt(fd, SOL_MPTCP, MPTCP_INFO, &raw.info, &raw.len), 0);
	return raw;
}

/* All but the clocks, which come last. */
static bool same(const struct raw *a, const struct raw *b)
{
	return memcmp(&a->info, &b->info,
		      offsetof(struct mptcpaddr_info, last_data_sent)) == 0;
}

static void echo(int fd, size_t bytes)
{
	char *data = calloc(1, bytes);
	size_t got = 0;
	ssize_t n;

	cr_assert_eq(send(fd, data, bytes, 0), (ssize_t)bytes);
	for (; got < bytes; got += n) {
		n = recv(fd, data, bytes - got, 0);
		cr_assert_gt(n, 0);
	}
	free(data);
}

static int connection(const struct stage *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(atoi(SERVER_PORT)) };
	int fd;

	cr_assert_eq(host_enter(&s->w.client), 0);
	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	inet_pton(AF_INET, "10.0.1.1", &to.sin_addr);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* The view between two equal readings of the program's own. */
static json_t *look(const struct stage *s, int fd, struct raw *ret_before,
		    struct raw *ret_after)
{
	json_t *root;

	for (int i = 0; i < LOOKS; i++) {
		*ret_before = raw_info(fd);
		root = info_json(&s->w.client, NULL);
		*ret_after = raw_info(fd);
		if (same(ret_before, ret_after))
			return root;
		json_decref(root);
		nap_ms(100);
	}
	cr_assert_fail("the connection never comes to rest");
	return NULL;
}

static long long sequence(const json_t *info, const char *key)
{
	return (long long)strtoull(text_at(info, key), NULL, 16);
}

/* One line per field. Return: the number of fields compared. */
/* NOLINTNEXTLINE(readability-function-size) */
static size_t compare(const json_t *info, const struct raw *a, const struct raw *b)
{
	size_t n = 0;

#define HAS(field) \
	(a->len >= offsetof(struct mptcpaddr_info, field) + sizeof(a->info.field) && ++n)
#define IS(field)                                                                       \
	do {                                                                            \
		if (HAS(field))                                                         \
			cr_assert_eq(number_at(info, #field), (long long)a->info.field, \
				     "%s", #field);                                     \
	} while (0)
#define SEQUENCE(field)                                                                \
	do {                                                                           \
		if (HAS(field))                                                        \
			cr_assert_eq(sequence(info, #field), (long long)a->info.field, \
				     "%s", #field);                                    \
	} while (0)
#define CLOCK(field)                                                                \
	do {                                                                        \
		if (HAS(field)) {                                                   \
			cr_assert_geq(number_at(info, #field), a->info.field, "%s", \
				      #field);                                      \
			cr_assert_leq(number_at(info, #field), b->info.field, "%s", \
				      #field);                                      \
		}                                                                   \
	} while (0)
	IS(subflows);
	IS(add_addr_signal);
	IS(add_addr_accepted);
	IS(subflows_max);
	IS(add_addr_signal_max);
	IS(add_addr_accepted_max);
	IS(flags);
	SEQUENCE(write_seq);
	SEQUENCE(snd_una);
	SEQUENCE(rcv_nxt);
	IS(local_addr_used);
	IS(local_addr_max);
	IS(csum_enabled);
	IS(retransmits);
	IS(bytes_retrans);
	IS(bytes_sent);
	IS(bytes_received);
	IS(bytes_acked);
	IS(subflows_total);
	if (json_object_get(info, "endp_laminar_max")) { /* not of a kernel before 6.18 */
		IS(endp_laminar_max);
		IS(endp_fullmesh_max);
	}
	CLOCK(last_data_sent);
	CLOCK(last_data_recv);
	CLOCK(last_ack_recv);
#undef HAS
#undef IS
#undef SEQUENCE
#undef CLOCK
	return n;
}

Test(raw, every_field_of_mptcp_info_equals_the_programs_own)
{
	static const struct endpoint_spec mesh = { .addr = "10.0.2.2",
						   .flags = EP_FULLMESH | EP_SUBFLOW,
						   .id = 32 };
	const json_t *info;
	struct raw before, after;
	struct stage s;
	json_t *root;
	int fd;

	NEED_SANDBOX();
	stage_open(&s, 3);
	stage_endpoints(&s);
	cr_assert_eq(endpoint_add(&s.w.client, &mesh), 0);
	fd = connection(&s);
	cr_assert(WAIT_FOR((echo(fd, DATA), raw_info(fd).info.subflows >= 3)));
	root = look(&s, fd, &before, &after);
	info = at(root, "connections.0.mptcp_info");
	cr_assert_eq(number_at(root, "connections.0.token"), before.info.token);
	/* It does not repeat the token. */
	cr_assert_eq(compare(info, &before, &after), json_object_size(info));
	cr_assert_gt(before.info.add_addr_accepted, 0);
	cr_assert_geq(before.info.bytes_sent, DATA);
	json_decref(root);
	close(fd);
	stage_close(&s);
}
