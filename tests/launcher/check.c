// SPDX-License-Identifier: MIT
/*
 * check.c - mptcpaddr check: routes, slips, MPTCPADDR_CONFIG and the broker's file
 */
#include "launcher.h"

#include <stdio.h>

#define POOL_PATH "/run/check.conf"

/* All that check prints of a file with @text. */
static void prints(struct bench *b, const char *option, const char *text, int status,
		   const char *expected)
{
	struct said said;

	put_file(POOL_PATH, text, 0644);
	said = run(b, NULL,
		   option ? ARGS("@mptcpaddr", "check", option, POOL_PATH)
			  : ARGS("@mptcpaddr", "check", POOL_PATH));
	cr_expect_str_eq(said.out, expected);
	cr_expect_str_eq(said.err, "");
	cr_expect_eq(said.status, status, "%s: %d", text, said.status);
	said_free(&said);
}

Test(check, endpoint_that_leaves_by_another_interface_is_named, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* The default route with the lowest metric is over c1. */
	prints(&b, NULL, "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.3.2\n", 0,
	       POOL_PATH
	       ":3: packets from 10.0.3.2 to the Internet leave by c1, but c3 has "
	       "the address: append \"dev c3\"\n" POOL_PATH
	       ": no errors; endpoints: 2\n");
	prints(&b, NULL, "[pool]\nendpoint = 10.0.3.2 dev c3\nendpoint = dev c2\n", 0,
	       POOL_PATH ": no errors; endpoints: 2\n");
	/* With a rule for its address it needs no device. */
	shell(&b, "ip rule add from 10.0.3.2 table 3\n"
		  "ip route add default via 10.0.3.1 table 3\n");
	prints(&b, NULL, "[pool]\nendpoint = 10.0.3.2\n", 0,
	       POOL_PATH ": no errors; endpoints: 1\n");
	/* In a section, what matters are its servers: these are at c3. */
	prints(&b, NULL, "[pool \"10.0.3.0/24\"]\nendpoint = 10.0.2.2\n", 0,
	       POOL_PATH
	       ":2: packets from 10.0.2.2 to 10.0.3.1 leave by c3, but c2 has the "
	       "address: append \"dev c2\"\n" POOL_PATH ": no errors; endpoints: 1\n");
	bench_close(&b);
}

Test(check, uplink_without_a_route_is_named, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip route del default dev c2");
	prints(&b, NULL, "[pool]\nendpoint = dev c2\nendpoint = dev c1\n", 0,
	       POOL_PATH
	       ":2: no route from 10.0.2.2 (c2) to the Internet: add a default route "
	       "over c2\n" POOL_PATH ": no errors; endpoints: 2\n");
	bench_close(&b);
}

/* A socket that is bound to a device takes its route, not the one with the best metric.
 */
Test(check, ipv6_uplink_has_a_route_of_its_own, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip addr flush dev c2\n"
		  "ip addr add dead:beef:2::2/64 dev c2 nodad\n"
		  "ip route replace default via dead:beef:2::1 dev c2 metric 20\n");
	prints(&b, NULL, "[pool]\nendpoint = dead:beef:2::2 dev c2\nendpoint = dev c2\n",
	       0, POOL_PATH ": no errors; endpoints: 2\n");
	shell(&b, "ip -6 route del default dev c2");
	prints(&b, NULL, "[pool]\nendpoint = dead:beef:2::2 dev c2\nendpoint = dev c2\n",
	       0,
	       POOL_PATH
	       ":2: no route from dead:beef:2::2 (c2) to the Internet: add a default "
	       "route over c2\n" POOL_PATH
	       ":3: no route from dead:beef:2::2 (c2) to the Internet: add a default "
	       "route over c2\n" POOL_PATH ": no errors; endpoints: 2\n");
	bench_close(&b);
}

Test(check, one_default_route_over_several_uplinks_is_a_route_of_each, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip route del default dev c1\n"
		  "ip route del default dev c2\n"
		  "ip route del default dev c3\n"
		  "ip route add default nexthop via 10.0.1.1 dev c1 "
		  "nexthop via 10.0.2.1 dev c2\n");
	prints(&b, NULL,
	       "[pool]\nendpoint = dev c1\nendpoint = dev c2\nendpoint = dev c3\n", 0,
	       POOL_PATH
	       ":4: no route from 10.0.3.2 (c3) to the Internet: add a default route "
	       "over c3\n" POOL_PATH ": no errors; endpoints: 3\n");
	bench_close(&b);
}

Test(check, slips_have_hints, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	prints(&b, NULL, "[pool]\nendpoint = dev c1 # wired\n", 1,
	       POOL_PATH ":2: a comment after a value begins with \";\", not \"#\"\n");
	prints(&b, NULL, "[pool]\nendpoint = dev=c1 subflow\n", 1,
	       POOL_PATH
	       ":2: unknown word \"dev=c1\" in an endpoint; an interface: dev c1\n");
	prints(&b, NULL, "[pool]\nendpoint = dev lo\nendpoint = 127.0.0.1 subflow\n", 0,
	       POOL_PATH
	       ":2: lo leads to no other host: name an uplink\n" POOL_PATH
	       ":3: 127.0.0.1 leads to no other host: name an uplink\n" POOL_PATH
	       ": no errors; endpoints: 2\n");
	prints(&b, NULL, "[pool]\nendpoint = 10.0.1.2/24\n", 1,
	       POOL_PATH
	       ":2: \"10.0.1.2/24\" is not an IPv4 or IPv6 address; omit /24\n");
	prints(&b, NULL, "[pool]\nendpoint = c1 subflow\n", 1,
	       POOL_PATH
	       ":2: unknown word \"c1\" in an endpoint; an interface: dev c1\n");
	prints(&b, NULL,
	       "[limits]\nsubflows = 3\n[app]\nlog = info\n[limits]\nsubflows = 4\n", 0,
	       POOL_PATH ": no errors; endpoints: 0\n" POOL_PATH
			 ":6: \"subflows\" again, which replaces line 2\n");
	prints(&b, NULL,
	       "[pool]\nendpoint = dev c1 subflow metered\n"
	       "[policy]\nquota = 5G/month\nquota = 1G/day\n",
	       0,
	       POOL_PATH ": no errors; endpoints: 1\n" POOL_PATH
			 ":5: \"quota\" again, which replaces line 4\n");
	prints(&b, NULL,
	       "[pool]\nendpoint = dev c1 subflow\n[policy]\nquota = 5G/month\n", 0,
	       POOL_PATH ": no errors; endpoints: 1\n" POOL_PATH
			 ": \"quota\" has no effect without a \"metered\" endpoint\n");
	prints(&b, NULL, "[policy]\nquota = 5GB/month\n", 1,
	       POOL_PATH
	       ":2: quota is \"5GB/month\", not a size per day or month, such as "
	       "5G/month (units: k, M, G, T)\n");
	prints(&b, NULL, "[accept]\ndeny = 10.0.0.0/8\ndeny = 192.168.0.0/16\n", 0,
	       POOL_PATH ": no errors; endpoints: 0\n");
	prints(&b, NULL, "[pool \"10.0.0.0/8\"]\n# none\n[app]\nlog = info\n[limits]\n",
	       0,
	       POOL_PATH ": no errors; endpoints: 0\n" POOL_PATH
			 ":1: [pool \"10.0.0.0/8\"] is empty\n" POOL_PATH
			 ":5: [limits] is empty\n");
	/* As in the sample files. */
	prints(&b, NULL, "[limits]\n# Paths:\n#subflows = 8\n", 0,
	       POOL_PATH ": no errors; endpoints: 0\n");
	prints(&b, NULL, "[app]\nlog = info\n\n[pools]\nendpoint = 10.0.1.2\nx = y\n", 1,
	       POOL_PATH ":4: unknown section [pools]\n");
	prints(&b, NULL, "[app]\nlog = info\n[]\n", 1,
	       POOL_PATH ":3: unknown section []\n");
	bench_close(&b);
}

Test(check, file_of_the_environment_is_named_and_checked, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file(POOL_PATH, "[pool]\nendpoint = wobbly\n", 0644);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=" POOL_PATH), ARGS("@mptcpaddr", "check"));
	cr_expect_eq(said.status, 1);
	cr_expect(strstr(said.out, "MPTCPADDR_CONFIG names " POOL_PATH
				   ": programs started from here use no other file\n"),
		  "%s", said.out);
	cr_expect(strstr(said.out, POOL_PATH ":2: unknown word \"wobbly\""), "%s",
		  said.out);
	said_free(&said);
	/* A file that is named on the command line is the only one. */
	put_file("/run/other.conf", "[pool]\nendpoint = dev c1\n", 0644);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=" POOL_PATH),
		   ARGS("@mptcpaddr", "check", "/run/other.conf"));
	cr_expect_str_eq(said.out, "/run/other.conf: no errors; endpoints: 1\n");
	said_free(&said);
	said = run(&b, ARGS("MPTCPADDR_CONFIG=check.conf"), ARGS("@mptcpaddr", "check"));
	cr_expect(strstr(said.out, "; it is no absolute path\n"), "%s", said.out);
	said_free(&said);
	bench_close(&b);
}

Test(check, program_is_named_by_its_pool_file, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "check", "curl"), 0, "curl has no pool file\n");
	user_pool(&b, "default.conf", "[pool]\nendpoint = dev c1\n");
	says(&b, ARGS("@mptcpaddr", "check", "curl"), 0, "curl uses ");
	says(&b, ARGS("@mptcpaddr", "check", "curl"), 0,
	     "/default.conf: no errors; endpoints: 1\n");
	user_pool(&b, "curl.conf", "[pool]\nendpoint = wobbly\n");
	says(&b, ARGS("@mptcpaddr", "check", "curl"), 1, "/curl.conf:2: unknown word");
	/* No program, but a file of that name; a slip. */
	user_pool(&b, "no-program.conf", "[pool]\nendpoint = dev c1\n");
	says(&b, ARGS("@mptcpaddr", "check", "no-program"), 0, "no-program uses ");
	says(&b, ARGS("@mptcpaddr", "check", "default.cnof"), 1,
	     "default.cnof: no such file, and no program of that name\n");
	bench_close(&b);
}

Test(check, every_error_of_the_brokers_file_is_listed, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	prints(&b, "--broker", "[broker]\nadopt = yes\n[users]\nsubflows = 8\n", 0,
	       POOL_PATH ": no errors\n");
	prints(&b, "--broker",
	       "[broker]\nadopt = perhaps\n[users]\nusers = nobody-here\nsubflows = 65\n"
	       "[user]\npools = no\n[program \"uid:0\"]\n",
	       1,
	       POOL_PATH ":2: adopt is \"perhaps\", not yes or no\n" POOL_PATH
			 ":4: no user \"nobody-here\" in /etc/passwd\n" POOL_PATH
			 ":5: subflows 65 is not in 0-64\n" POOL_PATH
			 ":6: unknown section [user]\n" POOL_PATH
			 ":8: a [program] without \"pool = FILE\"\n" POOL_PATH
			 ":8: [program \"uid:0\"] is empty\n");
	prints(&b, "--broker",
	       "[users]\ndevices = c1 nosuch0\nrate_per_user = 5\nrate_per_user = 6\n", 0,
	       POOL_PATH ": no errors\n" POOL_PATH
			 ":4: \"rate_per_user\" again, which replaces line 3\n" POOL_PATH
			 ":2: nosuch0 is not an interface of this machine (now)\n");
	/* Its pools are read, too. */
	put_file("/run/web.conf", "[pool]\nendpoint = dev c1 id 3\n", 0644);
	prints(&b, "--broker", "[program \"uid:0\"]\npool = /run/web.conf\n", 1,
	       POOL_PATH
	       ": no errors\n/run/web.conf:2: \"id\" is for one address, not for all of "
	       "a device\n");
	says(&b,
	     ARGS("unshare", "-m", "sh", "-c",
		  "mount -t tmpfs none /etc; $0 check --broker", path_of("mptcpaddr")),
	     0, "no /etc/mptcpaddr/broker.conf: the defaults apply\n");
	says(&b, ARGS("@mptcpaddr", "check", "--broker", "/run/none.conf"), 1,
	     "/run/none.conf: No such file or directory\n");
	bench_close(&b);
}
