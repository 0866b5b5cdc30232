// SPDX-License-Identifier: MIT
/*
 * renumber.c - addresses as DHCP and router advertisements change them
 *
 * Link 3 gets another address, one of another subnet, or the same again; its default
 * route follows later. The server's announced addresses are beyond that route: its ARP
 * answers for addresses of the link alone, as a router does. The late routes come after
 * 10 s, or after MPTCPADDR_TEST_LATE_MS.
 */
#include "net.h"

#include <linux/if_addr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#define PATH_MS	  500 /* after the route; times machine_load(), at most 3 */
#define BEYOND	  .announced = { { "10.9.0.2" }, { "10.9.0.3" } }
#define BEYOND_V6 .connect = "dead:beef:1::1", .announced = { { "dead:beef:9::3" } }

#define BEFORE	"10.0.2.2-10.9.0.2 10.0.3.2-10.9.0.3"
#define WITHOUT "10.0.2.2-10.9.0.2"
#define ROUTE	"route add default via 10.0.3.1 dev c3 metric 30\n"

static const char devices[] = "[pool]\nendpoint = dev c2\nendpoint = dev c3\n";
static const char addresses[] = "[pool]\nendpoint = 10.0.2.2 dev c2\n"
				"endpoint = 10.0.3.2 dev c3\nendpoint = 10.0.3.7 dev c3\n"
				"endpoint = 10.0.33.7 dev c3\n";

struct change {
	const char *pool, *come, *after; /* pairs */
	const char *gone, *route;	 /* NULL: of 10.0.3.2 */
};

static void ip(struct net *n, const char *commands)
{
	cr_assert_eq(host_ip(&n->world.client, commands), 0, "%s", commands);
}

static bool has_pairs(const struct net *n, const char *pairs)
{
	char *now = pairs_text(&n->world.client, 0, false);
	bool same = !strcmp(now, pairs);

	free(now);
	return same;
}

static void pairs_become(struct net *n, const char *pairs)
{
	if (!WAIT_FOR(has_pairs(n, pairs)))
		net_show(n);
	cr_assert(has_pairs(n, pairs), "the client has \"%s\", wanted \"%s\"",
		  pairs_text(&n->world.client, 0, false), pairs);
}

/* Since @start, and as soon as a user expects. */
static void pairs_come_soon(struct net *n, const char *pairs, int64_t start)
{
	int load = MIN(machine_load(), 3), ms;

	pairs_become(n, pairs);
	ms = now_ms() - start;
	cr_log_info("\"%s\" after %d ms", pairs, ms);
	if (ms > PATH_MS * load)
		net_show(n);
	cr_assert_leq(ms, PATH_MS * load, "\"%s\" after %d ms", pairs, ms);
}

static void start(struct net *n, const struct net_spec *spec)
{
	net_open(n, spec, FROM_POOL);
	cr_assert_eq(host_sysctl(&n->world.server, "net/ipv4/conf/all/arp_ignore", "1"),
		     0);
	cr_assert_eq(host_sysctl(&n->world.server, "net/ipv4/conf/all/arp_announce", "2"),
		     0);
	cr_assert_eq(host_ip(&n->world.server,
			     "addr add 10.9.0.2/32 dev lo\naddr add 10.9.0.3/32 dev lo\n"
			     "addr add dead:beef:9::3/128 dev lo\n"
			     "addr add dead:beef:9::4/128 dev lo\n"
			     "addr add 10.0.33.1/24 dev s3\n"
			     "addr add dead:beef:33::1/64 dev s3 nodad\n"),
		     0);
	net_connect(n, 1);
}

static int late_ms(void)
{
	const char *ms = getenv("MPTCPADDR_TEST_LATE_MS");

	return ms ? atoi(ms) : 10000;
}

static void play(const struct change *c, int route_ms)
{
	struct net_spec spec = { BEYOND, .pool_text = c->pool };
	struct net n;
	int64_t at;

	start(&n, &spec);
	pairs_become(&n, BEFORE);
	ip(&n, c->gone ?: "addr del 10.0.3.2/24 dev c3\n");
	pairs_become(&n, WITHOUT);
	ip(&n, c->come);
	nap_ms(route_ms);
	if (!has_pairs(&n, WITHOUT))
		net_show(&n);
	cr_assert(has_pairs(&n, WITHOUT), "without a route: %s",
		  pairs_text(&n.world.client, 0, false));
	at = now_ms();
	ip(&n, c->route ?: ROUTE);
	pairs_come_soon(&n, c->after, at);
	net_carries_data(&n);
	net_close(&n);
}

#define CHANGE_TEST(name, delay_ms, ...)                               \
	Test(renumber, name)                                           \
	{                                                              \
		play(&(const struct change){ __VA_ARGS__ }, delay_ms); \
	}

#define SAME_AGAIN .come = "addr add 10.0.3.2/24 dev c3\n", .after = BEFORE
#define ANOTHER_ADDRESS \
	.come = "addr add 10.0.3.7/24 dev c3\n", .after = WITHOUT " 10.0.3.7-10.9.0.3"
#define ANOTHER_SUBNET                                                 \
	.come = "addr add 10.0.33.7/24 dev c3\n",                      \
	.route = "route add default via 10.0.33.1 dev c3 metric 30\n", \
	.after = WITHOUT " 10.0.33.7-10.9.0.3"

CHANGE_TEST(device_gets_the_same_address_again, 1000, devices, SAME_AGAIN)
CHANGE_TEST(device_gets_another_address, 1000, devices, ANOTHER_ADDRESS)
CHANGE_TEST(device_gets_another_subnet, 1000, devices, ANOTHER_SUBNET)
CHANGE_TEST(device_gets_its_route_at_once, 0, devices, ANOTHER_ADDRESS)
CHANGE_TEST(device_gets_its_route_late, late_ms(), devices, ANOTHER_SUBNET)
CHANGE_TEST(address_comes_again, 1000, addresses, SAME_AGAIN)
CHANGE_TEST(address_gives_way_to_another_one, 1000, addresses, ANOTHER_ADDRESS)
CHANGE_TEST(address_gives_way_to_another_subnet, 1000, addresses, ANOTHER_SUBNET)
CHANGE_TEST(address_gets_its_route_late, late_ms(), addresses, SAME_AGAIN)
/* As network managers do it: without a carrier, an interface loses its addresses. */
Test(renumber, device_gets_link_address_and_route_in_turn)
{
	static const struct net_spec spec = { BEYOND, .pool_text = devices };
	struct net n;
	int64_t at;

	start(&n, &spec);
	pairs_become(&n, BEFORE);
	ip(&n, "link set c3 down\naddr flush dev c3\n");
	net_carries_data(&n);
	ip(&n, "link set c3 up\n");
	pairs_become(&n, WITHOUT);
	ip(&n, "addr add 10.0.3.7/24 dev c3\n");
	nap_ms(3000);
	at = now_ms();
	ip(&n, ROUTE);
	pairs_come_soon(&n, WITHOUT " 10.0.3.7-10.9.0.3", at);
	net_carries_data(&n);
	net_close(&n);
}

/* The new address is there before the old one goes; no path is lost for long. */
Test(renumber, device_has_its_new_address_before_the_old_one_goes)
{
	static const struct net_spec spec = { BEYOND, .pool_text = devices };
	struct net n;

	start(&n, &spec);
	pairs_become(&n, BEFORE);
	ip(&n, "addr add 10.0.33.7/24 dev c3\n"
	       "route replace default via 10.0.33.1 dev c3 metric 30\n");
	net_pairs_are(&n, BEFORE);
	ip(&n, "addr del 10.0.3.2/24 dev c3\n");
	pairs_come_soon(&n, WITHOUT " 10.0.33.7-10.9.0.3", now_ms());
	net_carries_data(&n);
	net_close(&n);
}

/* The flags of an address of the client, IFA_F_TENTATIVE and so on; -1: missing. */
static int address_flags(const struct net *n, const char *hex)
{
	char line[128], ip[33];
	unsigned int flags;
	int found = -1;
	FILE *f;

	cr_assert_eq(host_enter(&n->world.client), 0);
	f = fopen("/proc/thread-self/net/if_inet6", "re");
	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%32s %*x %*x %*x %x", ip, &flags) == 2 &&
		    !strcmp(ip, hex))
			found = flags;
	fclose(f);
	return found;
}

#define WITH_V6(lines)                                   \
	{                                                \
		BEYOND_V6, .pool_text = "[pool]\n" lines \
	}
#define DEVICE_V6 WITH_V6("endpoint = dev c3\n")
#define ADDRESSES_V6                                 \
	WITH_V6("endpoint = dead:beef:3::2 dev c3\n" \
		"endpoint = dead:beef:3::7 dev c3\n")
#define HEX_2	 "deadbeef000300000000000000000002"
#define HEX_7	 "deadbeef000300000000000000000007"
#define BEYOND_3 "dead:beef:9::3"
#define BEYOND_4 "dead:beef:9::4"
#define FIRST_V6 "dead:beef:3::2-" BEYOND_3

/* Nothing leaves from a tentative address; afterwards it is used at once. */
static void detected(const struct net_spec *spec)
{
	bool none, tentative;
	struct net n;

	start(&n, spec);
	pairs_become(&n, FIRST_V6);
	ip(&n, "addr del dead:beef:3::2/64 dev c3\n");
	pairs_become(&n, "");
	cr_assert_eq(host_sysctl(&n.world.client, "net/ipv6/conf/c3/accept_dad", "1"), 0);
	ip(&n, "addr add dead:beef:3::7/64 dev c3\n");
	cr_assert(address_flags(&n, HEX_7) & IFA_F_TENTATIVE, "no DAD");
	do {
		none = has_pairs(&n, "");
		tentative = address_flags(&n, HEX_7) & IFA_F_TENTATIVE;
		cr_assert(none || !tentative);
		nap_ms(3);
	} while (tentative);
	pairs_come_soon(&n, "dead:beef:3::7-" BEYOND_3, now_ms());
	net_carries_data(&n);
	net_close(&n);
}

Test(renumber, device_gets_an_address_after_its_detection)
{
	static const struct net_spec spec = DEVICE_V6;

	detected(&spec);
}

Test(renumber, address_is_used_after_its_detection)
{
	static const struct net_spec spec = ADDRESSES_V6;

	detected(&spec);
}

/* Another host has the address: detection fails, and it stays unused. */
Test(renumber, address_of_another_host_is_not_used)
{
	static const struct net_spec spec = ADDRESSES_V6;
	struct net n;

	start(&n, &spec);
	pairs_become(&n, FIRST_V6);
	cr_assert_eq(
		host_ip(&n.world.server, "addr add dead:beef:3::7/64 dev s3 nodad\n"), 0);
	cr_assert_eq(host_sysctl(&n.world.client, "net/ipv6/conf/c3/accept_dad", "1"), 0);
	ip(&n, "addr add dead:beef:3::7/64 dev c3\naddr del dead:beef:3::2/64 dev c3\n");
	cr_assert(WAIT_FOR(address_flags(&n, HEX_7) & IFA_F_DADFAILED), "no DAD");
	net_pairs_are(&n, "");
	ip(&n, "addr add dead:beef:3::2/64 dev c3 nodad\n");
	pairs_come_soon(&n, FIRST_V6, now_ms());
	net_close(&n);
}

/* The preferred lifetime of dead:beef:3::2 ends; ::7 stays preferred. */
static void deprecated(const struct net_spec *spec)
{
	struct net n;

	start(&n, spec);
	pairs_become(&n, FIRST_V6);
	ip(&n, "addr add dead:beef:3::7/64 dev c3 nodad\n"
	       "addr change dead:beef:3::2/64 dev c3 preferred_lft 1 valid_lft 3600\n");
	cr_assert(WAIT_FOR(address_flags(&n, HEX_2) & IFA_F_DEPRECATED));
	net_announce(&n, BEYOND_4);
	pairs_become(&n, FIRST_V6 " dead:beef:3::7-" BEYOND_4);
	net_carries_data(&n);
	net_withdraw(&n, BEYOND_3); /* and it gets no new one */
	pairs_become(&n, "dead:beef:3::7-" BEYOND_4);
	net_announce(&n, BEYOND_3);
	net_pairs_are(&n, "dead:beef:3::7-" BEYOND_4);
	ip(&n,
	   "addr change dead:beef:3::2/64 dev c3 preferred_lft 3600 valid_lft 3600\n");
	pairs_come_soon(&n, FIRST_V6 " dead:beef:3::7-" BEYOND_4, now_ms());
	net_close(&n);
}

Test(renumber, deprecated_address_of_a_device_keeps_its_path_and_gets_no_new_one)
{
	static const struct net_spec spec = DEVICE_V6;

	deprecated(&spec);
}

Test(renumber, deprecated_address_keeps_its_path_and_gets_no_new_one)
{
	static const struct net_spec spec = ADDRESSES_V6;

	deprecated(&spec);
}

Test(renumber, deprecated_address_without_a_better_one_is_used)
{
	static const struct net_spec spec = DEVICE_V6;
	struct net n;

	start(&n, &spec);
	pairs_become(&n, FIRST_V6);
	ip(&n, "addr change dead:beef:3::2/64 dev c3 preferred_lft 0 valid_lft 3600\n");
	net_withdraw(&n, BEYOND_3);
	pairs_become(&n, "");
	net_announce(&n, BEYOND_4);
	pairs_become(&n, "dead:beef:3::2-" BEYOND_4);
	net_close(&n);
}

/* As routers announce it: the old prefix is deprecated, later its lifetime ends. */
Test(renumber, device_moves_to_a_new_prefix)
{
	static const struct net_spec spec = DEVICE_V6;
	struct net n;

	start(&n, &spec);
	pairs_become(&n, FIRST_V6);
	ip(&n, "addr add dead:beef:33::7/64 dev c3 nodad\n"
	       "addr change dead:beef:3::2/64 dev c3 preferred_lft 0 valid_lft 3\n");
	net_pairs_are(&n, FIRST_V6);
	net_carries_data(&n);
	cr_assert(WAIT_FOR(address_flags(&n, HEX_2) < 0));
	pairs_come_soon(&n, "dead:beef:33::7-" BEYOND_3, now_ms());
	net_carries_data(&n);
	net_close(&n);
}

Test(renumber, device_moves_to_a_new_prefix_and_its_route_comes_late)
{
	static const struct net_spec spec = DEVICE_V6;
	struct net n;
	int64_t at;

	start(&n, &spec);
	pairs_become(&n, FIRST_V6);
	ip(&n, "route del default via dead:beef:3::1 dev c3 metric 30\n"
	       "addr del dead:beef:3::2/64 dev c3\n");
	pairs_become(&n, "");
	ip(&n, "addr add dead:beef:33::7/64 dev c3 nodad\n");
	nap_ms(late_ms());
	cr_assert(has_pairs(&n, ""), "a path without a route");
	at = now_ms();
	ip(&n, "route add default via dead:beef:33::1 dev c3 metric 30\n");
	pairs_come_soon(&n, "dead:beef:33::7-" BEYOND_3, at);
	net_carries_data(&n);
	net_close(&n);
}
