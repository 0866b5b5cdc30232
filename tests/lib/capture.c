// SPDX-License-Identifier: MIT
/*
 * capture.c - which MPTCP path-manager options are on a host's wires
 *
 * A memory-mapped ring (TPACKET_V2) and not a thread or a tcpdump: nothing is lost
 * while the test does something else, and each packet has the kernel's time stamp.
 */
#include "capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define FRAME_SIZE 512
#define BLOCK_SIZE 65536
#define FRAMES	   16384
#define RING_SIZE  ((size_t)FRAME_SIZE * FRAMES)

#define TCPOPT_MPTCP	30
#define FLAG_ECHO_OR_BK 1 /* E of ADD_ADDR, B of MP_JOIN and MP_PRIO: RFC 8684, 3 */

enum subtype {
	MP_JOIN = 1,
	ADD_ADDR = 3,
	REMOVE_ADDR = 4,
	MP_PRIO = 5,
};

static int ring_make(struct capture *c)
{
	struct tpacket_req req = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = RING_SIZE / BLOCK_SIZE,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = FRAMES,
	};
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, CAPTURE_LEN_MAX, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, CAPTURE_LEN_MAX),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };
	int version = TPACKET_V2;

	if (setsockopt(c->fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0)
		return -errno;
	if (setsockopt(c->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0)
		return -errno;
	if (setsockopt(c->fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	c->ring = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->ring == MAP_FAILED) {
		c->ring = NULL;
		return -errno;
	}
	return 0;
}

int capture_open(struct capture *c, const struct host *h)
{
	struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};
	int r;

	*c = (struct capture){ .fd = -1 };
	r = host_enter(h);
	if (r < 0)
		return r;
	c->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	r = ring_make(c);
	/* Bound last: packets from before the ring exists would be queued elsewhere. */
	if (!r && bind(c->fd, (struct sockaddr *)&all, sizeof(all)) < 0)
		r = -errno;
	if (r < 0)
		capture_close(c);
	return r;
}

void capture_close(struct capture *c)
{
	if (c->ring)
		munmap(c->ring, RING_SIZE);
	if (c->fd >= 0)
		close(c->fd);
	free(c->at);
	*c = (struct capture){ .fd = -1 };
}

static void record(struct capture *c, const struct seen *s)
{
	struct seen *grown;

	if (!(c->count & (c->count - 1))) {
		grown = realloc(c->at, (c->count ? 2 * c->count : 1) * sizeof(*s));
		if (!grown)
			abort();
		c->at = grown;
	}
	c->at[c->count++] = *s;
}

static uint16_t get_be16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* ADD_ADDR: kind, length, subtype and E, ID, address, [port], [8 bytes of HMAC]. */
static void parse_add_addr(const uint8_t *opt, unsigned int len, struct seen *s)
{
	bool echo = opt[2] & FLAG_ECHO_OR_BK;
	unsigned int addr_len = len - 4 - (echo ? 0 : 8);
	bool v6 = addr_len >= 16;

	s->kind = echo ? SEEN_ADD_ADDR_ECHO : SEEN_ADD_ADDR;
	s->address_id = opt[3];
	s->announced = address_from_raw(v6 ? AF_INET6 : AF_INET, opt + 4, 0);
	if (addr_len == 6 || addr_len == 18)
		s->announced.port = get_be16(opt + 4 + (v6 ? 16 : 4));
}

/* Return: whether @s now holds an option of interest. */
static bool parse_option(const uint8_t *opt, unsigned int len, bool syn, bool ack,
			 struct seen *s)
{
	switch (opt[2] >> 4) {
	case MP_JOIN:
		if (len != 12 || !syn || ack)
			return false;
		s->kind = SEEN_MP_JOIN;
		s->address_id = opt[3];
		s->backup = opt[2] & FLAG_ECHO_OR_BK;
		return true;
	case ADD_ADDR:
		if (len < 8)
			return false;
		parse_add_addr(opt, len, s);
		return true;
	case REMOVE_ADDR:
		if (len < 4)
			return false;
		s->kind = SEEN_RM_ADDR;
		s->address_id = opt[3];
		s->more_ids = len - 4;
		return true;
	case MP_PRIO:
		s->kind = SEEN_MP_PRIO;
		s->backup = opt[2] & FLAG_ECHO_OR_BK;
		return true;
	default:
		return false;
	}
}

/* REMOVE_ADDR may withdraw several. */
static void record_each(struct capture *c, struct seen *s, const uint8_t *opt)
{
	unsigned int more = s->kind == SEEN_RM_ADDR ? s->more_ids : 0;

	record(c, s);
	for (unsigned int i = 0; i < more; i++) {
		s->address_id = opt[4 + i];
		record(c, s);
	}
}

static void parse_tcp(struct capture *c, const uint8_t *p, size_t len, struct seen *s)
{
	struct tcphdr th;
	size_t end;

	if (len < sizeof(th))
		return;
	memcpy(&th, p, sizeof(th));
	end = th.doff * 4;
	if (end > len)
		return;
	s->src.port = ntohs(th.source);
	s->dst.port = ntohs(th.dest);
	for (size_t i = sizeof(th); i < end && p[i] != TCPOPT_EOL;) {
		if (p[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (i + 2 > end || p[i + 1] < 2 || i + p[i + 1] > end)
			return;
		if (p[i] == TCPOPT_MPTCP && p[i + 1] >= 3 &&
		    parse_option(p + i, p[i + 1], th.syn, th.ack, s))
			record_each(c, s, p + i);
		i += p[i + 1];
	}
}

static void parse_frame(struct capture *c, const struct tpacket2_hdr *h)
{
	const uint8_t *p = (const uint8_t *)h + h->tp_net;
	const struct sockaddr_ll *ll =
		(const void *)((const uint8_t *)h + TPACKET_ALIGN(sizeof(*h)));
	size_t len = h->tp_snaplen, head;
	struct seen s = {
		.at = { h->tp_sec, h->tp_nsec },
		.outgoing = ll->sll_pkttype == PACKET_OUTGOING,
	};

	if (len >= sizeof(struct iphdr) && p[0] >> 4 == 4 && p[9] == IPPROTO_TCP) {
		head = (p[0] & 15) * 4;
		s.src = address_from_raw(AF_INET, p + 12, 0);
		s.dst = address_from_raw(AF_INET, p + 16, 0);
	} else if (len >= sizeof(struct ip6_hdr) && p[0] >> 4 == 6 &&
		   p[6] == IPPROTO_TCP) {
		head = sizeof(struct ip6_hdr);
		s.src = address_from_raw(AF_INET6, p + 8, 0);
		s.dst = address_from_raw(AF_INET6, p + 24, 0);
	} else {
		return;
	}
	if (head < len)
		parse_tcp(c, p + head, len - head, &s);
}

int capture_read(struct capture *c)
{
	struct tpacket_stats stats = { 0 };
	socklen_t len = sizeof(stats);
	struct tpacket2_hdr *h;

	for (unsigned int n = 0; n < FRAMES; n++) {
		h = (void *)(c->ring + (size_t)c->next * FRAME_SIZE);
		if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
			break;
		parse_frame(c, h);
		__atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		c->next = (c->next + 1) % FRAMES;
	}
	if (getsockopt(c->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		return -errno;
	return stats.tp_drops ? -ENOBUFS : 0;
}

size_t capture_count(const struct capture *c, enum seen_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += c->at[i].kind == kind;
	return n;
}

const struct seen *capture_nth(const struct capture *c, enum seen_kind kind, size_t nth)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->at[i].kind == kind && nth-- == 0)
			return &c->at[i];
	}
	return NULL;
}

static const char *kind_name(enum seen_kind kind)
{
	switch (kind) {
	case SEEN_MP_JOIN:
		return "MP_JOIN";
	case SEEN_ADD_ADDR:
		return "ADD_ADDR";
	case SEEN_ADD_ADDR_ECHO:
		return "ADD_ADDR echo";
	case SEEN_RM_ADDR:
		return "RM_ADDR";
	case SEEN_MP_PRIO:
		return "MP_PRIO";
	}
	return "?";
}

char *capture_text(const struct capture *c)
{
	char src[ADDRESS_TEXT_MAX], dst[ADDRESS_TEXT_MAX], about[ADDRESS_TEXT_MAX];
	const struct seen *s;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < c->count; i++) {
		s = &c->at[i];
		fprintf(f, "%lld.%06ld %s %s %u > %s %u: %s id %u%s",
			(long long)s->at.tv_sec, s->at.tv_nsec / 1000,
			s->outgoing ? "out" : "in ", address_text(&s->src, src),
			s->src.port, address_text(&s->dst, dst), s->dst.port,
			kind_name(s->kind), s->address_id, s->backup ? " backup" : "");
		if (s->kind == SEEN_ADD_ADDR || s->kind == SEEN_ADD_ADDR_ECHO)
			fprintf(f, " %s port %u", address_text(&s->announced, about),
				s->announced.port);
		fputc('\n', f);
	}
	fclose(f);
	return text;
}
