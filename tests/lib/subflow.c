// SPDX-License-Identifier: MIT
/*
 * subflow.c - the MPTCP subflows of a host, from its kernel (sock_diag)
 */
#include "subflow.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"
#include "world.h"

#define SUBFLOWS_MAX 100000 /* of a host */

static int collect(struct subflows *s, const struct inet_diag_msg *d,
		   struct nlattr *const at[])
{
	struct subflow f = {
		.local = address_from_raw(d->idiag_family, d->id.idiag_src,
					  ntohs(d->id.idiag_sport)),
		.remote = address_from_raw(d->idiag_family, d->id.idiag_dst,
					   ntohs(d->id.idiag_dport)),
		.state = d->idiag_state,
	};
	struct subflow *grown;
	uint32_t flags;

	/* Allocated in powers of two. */
	if (!(s->count & (s->count - 1))) {
		grown = realloc(s->at, (s->count ? 2 * s->count : 1) * sizeof(f));
		if (!grown || s->count > SUBFLOWS_MAX)
			return -ENOMEM;
		s->at = grown;
	}
	flags = nla_get_u32(at[MPTCP_SUBFLOW_ATTR_FLAGS]);
	f.token = nla_get_u32(at[MPTCP_SUBFLOW_ATTR_TOKEN_LOC]);
	f.remote_token = nla_get_u32(at[MPTCP_SUBFLOW_ATTR_TOKEN_REM]);
	f.local_id = nla_get_u8(at[MPTCP_SUBFLOW_ATTR_ID_LOC]);
	f.remote_id = nla_get_u8(at[MPTCP_SUBFLOW_ATTR_ID_REM]);
	f.joined = flags & (MPTCP_SUBFLOW_FLAG_JOIN_LOC | MPTCP_SUBFLOW_FLAG_JOIN_REM);
	f.backup_local = flags & MPTCP_SUBFLOW_FLAG_BKUP_LOC;
	f.backup_remote = flags & MPTCP_SUBFLOW_FLAG_BKUP_REM;
	s->at[s->count++] = f;
	return 0;
}

static int on_socket(struct nl_msg *msg, void *arg)
{
	struct nlattr *ulp, *mptcp, *at[MPTCP_SUBFLOW_ATTR_MAX + 1];
	const struct inet_diag_msg *d = nlmsg_data(nlmsg_hdr(msg));

	ulp = nlmsg_find_attr(nlmsg_hdr(msg), sizeof(*d), INET_DIAG_ULP_INFO);
	mptcp = ulp ? nla_find(nla_data(ulp), nla_len(ulp), INET_ULP_INFO_MPTCP) : NULL;
	if (!mptcp || nla_parse_nested(at, MPTCP_SUBFLOW_ATTR_MAX, mptcp, NULL) < 0)
		return NL_SKIP; /* plain TCP, or a listener */
	if (!at[MPTCP_SUBFLOW_ATTR_FLAGS] || !at[MPTCP_SUBFLOW_ATTR_TOKEN_LOC] ||
	    !at[MPTCP_SUBFLOW_ATTR_TOKEN_REM] || !at[MPTCP_SUBFLOW_ATTR_ID_LOC] ||
	    !at[MPTCP_SUBFLOW_ATTR_ID_REM])
		return NL_SKIP;
	return collect(arg, d, at) < 0 ? NL_STOP : NL_OK;
}

static int dump_family(struct nl_sock *sk, int family)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
		.idiag_states = ~(1U << TCP_LISTEN | 1U << TCP_TIME_WAIT),
	};

	if (nl_send_simple(sk, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req)) < 0)
		return -EIO;
	return nl_recvmsgs_default(sk) < 0 ? -EIO : 0;
}

static int by_token(const void *a, const void *b)
{
	const struct subflow *x = a, *y = b;
	int d;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->joined != y->joined)
		return x->joined ? 1 : -1;
	d = address_compare(&x->local, &y->local);
	return d ? d : address_compare(&x->remote, &y->remote);
}

int subflows_read(const struct host *h, struct subflows *s)
{
	struct nl_sock *sk;
	int r;

	subflows_free(s);
	r = host_enter(h);
	if (r < 0)
		return r;
	sk = nl_socket_alloc();
	if (!sk)
		return -ENOMEM;
	if (nl_connect(sk, NETLINK_SOCK_DIAG) < 0) {
		r = -ENOTCONN;
		goto out;
	}
	nl_socket_set_msg_buf_size(sk, 65536);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_socket, s);
	r = dump_family(sk, AF_INET);
	if (!r)
		r = dump_family(sk, AF_INET6);
	if (!r && s->count)
		qsort(s->at, s->count, sizeof(s->at[0]), by_token);
out:
	nl_socket_free(sk);
	return r;
}

void subflows_free(struct subflows *s)
{
	free(s->at);
	*s = (struct subflows){ 0 };
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *pair_text(const struct subflow *f, bool is_server)
{
	char a[ADDRESS_TEXT_MAX], b[ADDRESS_TEXT_MAX], *text;

	address_text(is_server ? &f->remote : &f->local, a);
	address_text(is_server ? &f->local : &f->remote, b);
	if (asprintf(&text, "%s-%s", a, b) < 0)
		abort();
	return text;
}

char *pairs_text(const struct host *h, uint32_t token, bool is_server)
{
	struct subflows s = { 0 };
	char **pairs, *text;
	size_t n = 0, size;
	FILE *f;

	if (subflows_read(h, &s) < 0)
		return strdup("(sock_diag failed)");
	pairs = calloc(s.count + 1, sizeof(*pairs));
	f = open_memstream(&text, &size);
	if (!pairs || !f)
		abort();
	for (size_t i = 0; i < s.count; i++) {
		if (!s.at[i].joined || s.at[i].state != TCP_ESTABLISHED)
			continue;
		if (!token || s.at[i].token == token)
			pairs[n++] = pair_text(&s.at[i], is_server);
	}
	qsort(pairs, n, sizeof(*pairs), by_text);
	for (size_t i = 0; i < n; i++) {
		fprintf(f, "%s%s", i ? " " : "", pairs[i]);
		free(pairs[i]);
	}
	fclose(f);
	free(pairs);
	subflows_free(&s);
	return text;
}

int connections_with(const struct host *h, const char *pairs)
{
	struct subflows s = { 0 };
	int count = 0;
	char *has;

	if (subflows_read(h, &s) < 0)
		return -1;
	for (size_t i = 0; i < s.count; i++) {
		if (s.at[i].joined || s.at[i].state != TCP_ESTABLISHED)
			continue;
		has = pairs_text(h, s.at[i].token, false);
		count += !strcmp(has, pairs);
		free(has);
	}
	subflows_free(&s);
	return count;
}

int joined_count(const struct host *h)
{
	struct subflows s = { 0 };
	int n = 0, r = subflows_read(h, &s);

	for (size_t i = 0; i < s.count; i++)
		n += s.at[i].joined && s.at[i].state == TCP_ESTABLISHED;
	subflows_free(&s);
	return r < 0 ? r : n;
}

bool tcp_gone_from(const struct host *h, const char *address)
{
	char text[128];
	const char *const argv[] = { "sh", "-c", text, NULL };

	snprintf(text, sizeof(text), "test -z \"$(ss -Htan src %s)\"", address);
	return proc_run(h, NULL, argv) == 0;
}
