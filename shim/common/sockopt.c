// SPDX-License-Identifier: MIT
/*
 * sockopt.c - the socket options that TCP has: their names, and what MPTCP lacks
 *
 * Which of them MPTCP refuses depends on the kernel, so nobody decides that from this
 * table. It says what a refused option is worth; libmptcpaddr(7) gives the reasons.
 */
#include "sockopt.h"
#include "str.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

/* Options that headers in use lack (Debian 12's, musl's), by number. */
#define NUMBERED(level, number, text, kind)         \
	{                                           \
		level, number, SOCKOPT_##kind, text \
	}
#define OPTION(level, name, kind)                  \
	{                                          \
		level, name, SOCKOPT_##kind, #name \
	}
#define SO(name, kind)	OPTION(SOL_SOCKET, SO_##name, kind)
#define IP(name, kind)	OPTION(IPPROTO_IP, IP_##name, kind)
#define IP6(name, kind) OPTION(IPPROTO_IPV6, IPV6_##name, kind)
#define TCP(name, kind) OPTION(IPPROTO_TCP, TCP_##name, kind)

/* clang-format off */
const struct sockopt sockopts[] = {
	SO(REUSEADDR, EXACT), SO(DONTROUTE, EXACT), SO(BROADCAST, EXACT),
	SO(SNDBUF, EXACT), SO(RCVBUF, EXACT), SO(KEEPALIVE, EXACT), SO(OOBINLINE, FLAG),
	SO(NO_CHECK, EXACT), SO(PRIORITY, EXACT), SO(LINGER, EXACT),
	SO(BSDCOMPAT, EXACT), SO(REUSEPORT, EXACT), SO(PASSCRED, EXACT),
	SO(RCVLOWAT, EXACT), SO(RCVTIMEO, EXACT), SO(SNDTIMEO, EXACT),
	SO(BINDTODEVICE, EXACT), SO(ATTACH_FILTER, PROMISE), SO(DETACH_FILTER, PROMISE),
	SO(TIMESTAMP, EXACT), SO(SNDBUFFORCE, EXACT), SO(RCVBUFFORCE, EXACT),
	SO(PASSSEC, EXACT), SO(TIMESTAMPNS, EXACT), SO(MARK, EXACT),
	SO(TIMESTAMPING, EXACT), SO(RXQ_OVFL, EXACT), SO(WIFI_STATUS, EXACT),
	SO(PEEK_OFF, PROMISE), SO(NOFCS, EXACT), SO(LOCK_FILTER, PROMISE),
	SO(SELECT_ERR_QUEUE, EXACT), SO(BUSY_POLL, EXACT), SO(MAX_PACING_RATE, EXACT),
	SO(INCOMING_CPU, EXACT), SO(ATTACH_BPF, PROMISE),
	SO(ATTACH_REUSEPORT_CBPF, EXACT), SO(ATTACH_REUSEPORT_EBPF, EXACT),
	SO(CNX_ADVICE, HINT), SO(ZEROCOPY, PROMISE), SO(TXTIME, EXACT),
	SO(BINDTOIFINDEX, EXACT), SO(DETACH_REUSEPORT_BPF, EXACT),
	SO(PREFER_BUSY_POLL, EXACT), SO(BUSY_POLL_BUDGET, EXACT),
	SO(BUF_LOCK, HINT),
	NUMBERED(SOL_SOCKET, 73, "SO_RESERVE_MEM", HINT),
	NUMBERED(SOL_SOCKET, 74, "SO_TXREHASH", HINT),
	NUMBERED(SOL_SOCKET, 75, "SO_RCVMARK", FLAG),
	NUMBERED(SOL_SOCKET, 76, "SO_PASSPIDFD", EXACT),
	NUMBERED(SOL_SOCKET, 80, "SO_DEVMEM_DONTNEED", PROMISE),
	NUMBERED(SOL_SOCKET, 82, "SO_RCVPRIORITY", FLAG),
	NUMBERED(SOL_SOCKET, 83, "SO_PASSRIGHTS", EXACT),
	NUMBERED(SOL_SOCKET, 84, "SO_INQ", EXACT),
	IP(TOS, EXACT), IP(TTL, EXACT), IP(OPTIONS, EXACT), IP(RECVOPTS, FLAG),
	IP(RETOPTS, FLAG), IP(PKTINFO, FLAG), IP(MTU_DISCOVER, EXACT),
	IP(RECVERR, EXACT), IP(RECVTTL, FLAG), IP(RECVTOS, FLAG), IP(FREEBIND, EXACT),
	IP(IPSEC_POLICY, PROMISE), IP(XFRM_POLICY, PROMISE), IP(PASSSEC, FLAG),
	IP(TRANSPARENT, EXACT), IP(RECVORIGDSTADDR, FLAG), IP(MINTTL, PROMISE),
	IP(CHECKSUM, FLAG), IP(BIND_ADDRESS_NO_PORT, EXACT), IP(RECVFRAGSIZE, HINT),
	IP(RECVERR_RFC4884, HINT), IP(MULTICAST_IF, HINT), IP(MULTICAST_TTL, HINT),
	IP(MULTICAST_LOOP, HINT), IP(MULTICAST_ALL, HINT), IP(UNICAST_IF, EXACT),
	NUMBERED(IPPROTO_IP, 51, "IP_LOCAL_PORT_RANGE", EXACT),
	IP6(ADDRFORM, PROMISE), IP6(2292PKTINFO, FLAG), IP6(2292HOPOPTS, FLAG),
	IP6(2292DSTOPTS, FLAG), IP6(2292RTHDR, FLAG), IP6(2292PKTOPTIONS, EXACT),
	IP6(2292HOPLIMIT, FLAG), NUMBERED(IPPROTO_IPV6, 11, "IPV6_FLOWINFO", FLAG),
	IP6(UNICAST_HOPS, EXACT), IP6(MULTICAST_IF, HINT), IP6(MULTICAST_HOPS, HINT),
	IP6(MULTICAST_LOOP, HINT), IP6(MTU_DISCOVER, EXACT), IP6(MTU, EXACT),
	IP6(RECVERR, EXACT), IP6(V6ONLY, EXACT), IP6(MULTICAST_ALL, HINT),
	IP6(ROUTER_ALERT_ISOLATE, HINT),
	NUMBERED(IPPROTO_IPV6, 31, "IPV6_RECVERR_RFC4884", HINT),
	NUMBERED(IPPROTO_IPV6, 32, "IPV6_FLOWLABEL_MGR", EXACT),
	NUMBERED(IPPROTO_IPV6, 33, "IPV6_FLOWINFO_SEND", EXACT),
	IP6(IPSEC_POLICY, PROMISE), IP6(XFRM_POLICY, PROMISE), IP6(RECVPKTINFO, FLAG),
	IP6(PKTINFO, EXACT), IP6(RECVHOPLIMIT, FLAG), IP6(RECVHOPOPTS, FLAG),
	IP6(HOPOPTS, EXACT), IP6(RTHDRDSTOPTS, EXACT), IP6(RECVRTHDR, FLAG),
	IP6(RTHDR, EXACT), IP6(RECVDSTOPTS, FLAG), IP6(DSTOPTS, EXACT),
	IP6(RECVPATHMTU, FLAG), IP6(DONTFRAG, EXACT), IP6(RECVTCLASS, FLAG),
	IP6(TCLASS, HINT), IP6(AUTOFLOWLABEL, HINT), IP6(ADDR_PREFERENCES, EXACT),
	IP6(MINHOPCOUNT, PROMISE), IP6(ORIGDSTADDR, FLAG), IP6(TRANSPARENT, EXACT),
	IP6(UNICAST_IF, EXACT), IP6(RECVFRAGSIZE, FLAG), IP6(FREEBIND, EXACT),
	TCP(NODELAY, EXACT), TCP(MAXSEG, EXACT), TCP(CORK, EXACT), TCP(KEEPIDLE, EXACT),
	TCP(KEEPINTVL, EXACT), TCP(KEEPCNT, EXACT), TCP(SYNCNT, EXACT),
	TCP(LINGER2, HINT), TCP(DEFER_ACCEPT, HINT), TCP(WINDOW_CLAMP, HINT),
	TCP(QUICKACK, FLAG), TCP(CONGESTION, EXACT), TCP(MD5SIG, PROMISE),
	TCP(THIN_LINEAR_TIMEOUTS, HINT), TCP(THIN_DUPACK, HINT),
	TCP(USER_TIMEOUT, EXACT), TCP(REPAIR, PROMISE), TCP(REPAIR_QUEUE, PROMISE),
	TCP(QUEUE_SEQ, PROMISE), TCP(REPAIR_OPTIONS, PROMISE), TCP(FASTOPEN, HINT),
	TCP(TIMESTAMP, PROMISE), TCP(NOTSENT_LOWAT, HINT), TCP(SAVE_SYN, EXACT),
	TCP(REPAIR_WINDOW, PROMISE), TCP(FASTOPEN_CONNECT, HINT), TCP(ULP, PROMISE),
	TCP(MD5SIG_EXT, PROMISE), TCP(FASTOPEN_KEY, HINT),
	TCP(FASTOPEN_NO_COOKIE, HINT), TCP(INQ, EXACT), TCP(TX_DELAY, EXACT),
	NUMBERED(IPPROTO_TCP, 38, "TCP_AO_ADD_KEY", PROMISE),
	NUMBERED(IPPROTO_TCP, 39, "TCP_AO_DEL_KEY", PROMISE),
	NUMBERED(IPPROTO_TCP, 40, "TCP_AO_INFO", PROMISE),
	NUMBERED(IPPROTO_TCP, 42, "TCP_AO_REPAIR", PROMISE),
	NUMBERED(IPPROTO_TCP, 44, "TCP_RTO_MAX_MS", EXACT),
	NUMBERED(IPPROTO_TCP, 45, "TCP_RTO_MIN_US", HINT),
	NUMBERED(IPPROTO_TCP, 46, "TCP_DELACK_MAX_US", HINT),
};
/* clang-format on */

const size_t n_sockopts = sizeof(sockopts) / sizeof(*sockopts);
_Static_assert(sizeof(sockopts) / sizeof(*sockopts) <= SOCKOPTS_MAX, "raise it");

const struct sockopt *sockopt_find(int level, int name)
{
	for (size_t i = 0; i < n_sockopts; i++)
		if (sockopts[i].level == level && sockopts[i].name == name)
			return &sockopts[i];
	return NULL;
}

bool sockopt_is_withdrawn(int level, int name)
{
	return level == IPPROTO_TCP &&
	       (name == TCP_DEFER_ACCEPT || name == TCP_FASTOPEN ||
		name == TCP_FASTOPEN_CONNECT);
}

const struct sockopt *sockopt_named(const char *from, const char *to)
{
	for (size_t i = 0; i < n_sockopts; i++)
		if (str_is(from, to, sockopts[i].text))
			return &sockopts[i];
	return NULL;
}

void sockopt_report_text(const sockopt_report report, char *ret_text, size_t size)
{
	static const char words[SOCKOPT_ACTIONS][16] = { ": ignored", ": tolerated",
							 ": left out", ": plain TCP",
							 ": failed" };
	size_t len = 0;

	for (size_t i = 0; i <= SOCKOPTS_MAX; i++)
		for (int action = 0; action < SOCKOPT_ACTIONS; action++) {
			if (!(report[i] >> action & 1))
				continue;
			len = str_append(ret_text, len, size, len ? ", " : "");
			len = str_append(ret_text, len, size,
					 i < n_sockopts ? sockopts[i].text : "others");
			len = str_append(ret_text, len, size, words[action]);
		}
	ret_text[len < size ? len : size - 1] = '\0';
}

/* Another version may have another table, but names are numbers of the kernel's. */
static const int levels[] = { SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_TCP };

uint16_t sockopt_pack(const struct sockopt *opt, enum sockopt_action action)
{
	int level = 0;

	while (levels[level] != opt->level)
		level++;
	return opt->name << 7 | level << 3 | (action + 1);
}

bool sockopt_unpack(sockopt_report report, uint16_t packed)
{
	const struct sockopt *opt = sockopt_find(levels[packed >> 3 & 3], packed >> 7);
	const int action = (packed & 7) - 1;

	if (!opt || action < 0 || action >= SOCKOPT_ACTIONS || packed & 0x60)
		return false;
	report[opt - sockopts] |= 1 << action;
	return true;
}
