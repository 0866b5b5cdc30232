// SPDX-License-Identifier: MIT
/*
 * init.c - mptcpaddr init writes a pool of the uplinks that are there
 */
#include "launcher.h"

#include <stdio.h>
#include <unistd.h>

/* A script of the user who runs it, with $0 as the tool; root has a new /etc. */
static const char *const *sh_as(bool root, const char *script)
{
	static const char *argv[16];
	static const char *const user[] = { "setpriv", "--reuid", "1",
					    "--regid", "1",	  "--clear-groups" };
	int n = 0;

	if (root)
		argv[n++] = "unshare", argv[n++] = "-m";
	for (size_t i = 0; !root && i < sizeof(user) / sizeof(*user); i++)
		argv[n++] = user[i];
	argv[n++] = "sh";
	argv[n++] = "-ec";
	argv[n++] = root ? "mount -t tmpfs none /etc; eval \"$1\"" : "eval \"$1\"";
	argv[n++] = path_of("mptcpaddr");
	argv[n++] = script;
	argv[n] = NULL;
	return argv;
}

#define ROOT(script) sh_as(true, script)
#define USER(script) sh_as(false, script)

static void prints(struct bench *b, const char *const argv[], int status,
		   const char *const words[])
{
	struct said said = run(b, NULL, argv);
	const char *at = said.out, *found;

	cr_expect_eq(said.status, status, "%d: %s%s", said.status, said.out, said.err);
	for (; *words; words++) {
		found = strstr(at, *words);
		cr_expect(found, "no \"%s\" after the one before in: %s%s", *words,
			  said.out, said.err);
		at = found ?: at;
	}
	said_free(&said);
}

Test(init, uplinks_come_in_the_order_of_their_routes, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	/* c1, c2, c3 with metrics 10, 20, 30: change that. */
	shell(&b, "ip route del default dev c1; ip -6 route flush default\n"
		  "ip route add default via 10.0.1.1 dev c1 metric 25\n"
		  "ip link add wwan0 type veth peer name peer0\n"
		  "ip addr add 10.8.0.2/24 dev wwan0; ip link set wwan0 up\n"
		  "ip link set peer0 up; ip route add default via 10.8.0.1 metric 700\n"
		  "ip link add lan0 type veth peer name peer1\n"
		  "ip addr add 10.7.0.2/24 dev lan0; ip link set lan0 up\n");
	prints(&b, ARGS("@mptcpaddr", "init", "--stdout"), 0,
	       ARGS("[pool]\n",
		    "# 10.0.2.2, dead:beef:2::2\nendpoint = dev c2 subflow laminar\n",
		    "\nendpoint = dev c1 subflow laminar\n",
		    "\nendpoint = dev c3 subflow laminar\n",
		    "# 10.8.0.2; a modem: append \"metered\" if its data is limited\n"
		    "endpoint = dev wwan0 subflow laminar\n",
		    "# 10.7.0.2; no default route; down\n#endpoint = dev lan0 subflow "
		    "laminar\n",
		    "[app]\n", "\nfirst = race\n"));
	says(&b,
	     ARGS("sh", "-c", "$0 init --stdout | grep -c ' dev lo '",
		  path_of("mptcpaddr")),
	     1, "0\n");
	bench_close(&b);
}

/* A route with two next hops, as load balancers have it. */
Test(init, multipath_route_is_two_uplinks, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip route flush default; ip -6 route flush default\n"
		  "ip route add default nexthop via 10.0.3.1 nexthop via 10.0.2.1\n");
	says(&b,
	     ARGS("sh", "-c", "$0 init --stdout | grep -c '^endpoint'",
		  path_of("mptcpaddr")),
	     0, "2\n");
	bench_close(&b);
}

Test(init, tunnel_is_no_uplink, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	if (access("/dev/net/tun", W_OK) < 0)
		return; /* a container without it */
	bench_open(&b);
	shell(&b, "ip tuntap add tun0 mode tun; ip addr add 10.5.0.2/24 dev tun0\n"
		  "ip link set tun0 up; ip route add default dev tun0 metric 5\n");
	prints(&b, ARGS("@mptcpaddr", "init", "--stdout"), 0,
	       ARGS("# 10.5.0.2; a tunnel: it runs over another uplink; down\n"
		    "#endpoint = dev tun0 subflow laminar\n"));
	bench_close(&b);
}

Test(init, file_has_no_errors_and_serves_a_program, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	prints(&b,
	       ROOT("$0 init; $0 check /etc/mptcpaddr/default.conf; $0 init curl; $0 run "
		    "-v curl "
		    "--version 2>&1"),
	       0,
	       ARGS("wrote /etc/mptcpaddr/default.conf: 3 uplinks\n",
		    "/etc/mptcpaddr/default.conf: no errors; endpoints: 3\n",
		    "wrote /etc/mptcpaddr/curl.conf: 3 uplinks\n",
		    "all users' curl has this pool now, in place of their default.conf\n",
		    "pool file: /etc/mptcpaddr/curl.conf (for \"curl\")\n",
		    "endpoint: dev c1 subflow laminar "));
	bench_close(&b);
}

Test(init, wrapper_is_named_by_the_program_that_it_executes, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/browse", "#!/bin/sh\nexec /usr/bin/curl \"$@\"\n", 0755);
	prints(&b, ROOT("$0 init /run/browse"), 0,
	       ARGS("wrote /etc/mptcpaddr/curl.conf: 3 uplinks\n"));
	bench_close(&b);
}

Test(init, one_uplink_is_said, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "ip route flush default; ip -6 route flush default\n"
		  "ip route add default via 10.0.3.1\n");
	prints(&b, ROOT("$0 init 2>&1"), 0,
	       ARGS("default.conf: 1 uplink\n", "and there is one: see that file\n"));
	shell(&b, "ip route del default");
	prints(&b, ROOT("$0 init 2>&1"), 0,
	       ARGS("default.conf: 0 uplinks\n", "and there are none: see that file\n"));
	bench_close(&b);
}

Test(init, existing_file_is_overwritten_after_yes_only, TIMEOUT)
{
	static const char *const answers[] = { "",   "n\n",	     "no\n",
					       "\n", "yes please\n", "yes" };
	char script[256];
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		snprintf(script, sizeof(script),
			 "mount -t tmpfs none /etc; mkdir /etc/mptcpaddr\n"
			 "echo mine >/etc/mptcpaddr/default.conf\n"
			 "printf '%s' | $0 init 2>&1 || echo \"status $?\"\n"
			 "grep -c mine /etc/mptcpaddr/default.conf || true",
			 answers[i]);
		prints(&b,
		       ARGS("unshare", "-m", "sh", "-ec", script, path_of("mptcpaddr")),
		       0,
		       !strcmp(answers[i], "yes")
			       ? ARGS("exists. Overwrite it? [y/N] ", "wrote ", "0\n")
			       : ARGS("exists. Overwrite it? [y/N] ", "is unchanged\n",
				      "status 1\n", "1\n"));
	}
	/* A link stays one. */
	prints(&b,
	       ROOT("mkdir /etc/mptcpaddr /etc/dot; echo mine >/etc/dot/pool\n"
		    "ln -s ../dot/pool /etc/mptcpaddr/default.conf; echo y | $0 init "
		    "2>&1\n"
		    "readlink /etc/mptcpaddr/default.conf; head -n 1 /etc/dot/pool"),
	       0, ARGS("wrote ", "../dot/pool\n", "# Pool of every program"));
	bench_close(&b);
}

Test(init, user_has_a_file_of_their_own, TIMEOUT)
{
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	shell(&b, "mkdir /run/alice; chown 1:1 /run/alice");
	prints(&b,
	       USER("export HOME=/run/alice; unset XDG_CONFIG_HOME; $0 init; cd; "
		    "ls -l .config/mptcpaddr/default.conf"),
	       0,
	       ARGS("wrote /run/alice/.config/mptcpaddr/default.conf: 3 uplinks\n",
		    "-rw-r--r-- "));
	prints(&b, USER("unset HOME XDG_CONFIG_HOME; $0 init 2>&1"), 1,
	       ARGS("no home directory: use --stdout\n"));
	prints(&b, USER("HOME=/proc XDG_CONFIG_HOME= $0 init 2>&1"), 1,
	       ARGS("mptcpaddr: /proc/.config: "));
	bench_close(&b);
}

/* As run does; the first remedy only. */
Test(init, missing_broker_is_named_by_init_and_check, TIMEOUT)
{
	struct bench b;

	NEED_USERS();
	bench_open(&b);
	shell(&b, "mkdir /run/alice; chown 1:1 /run/alice");
	prints(&b,
	       USER("export HOME=/run/alice; unset XDG_CONFIG_HOME; $0 init 2>&1\n"
		    "$0 check 2>&1; $0 check 2>&1 | grep -c setpriv || true"),
	       0,
	       ARGS("wrote ", "mptcpaddr: warning: no CAP_NET_ADMIN in this network ",
		    "namespace, and no broker: pools have no effect; type: sudo ",
		    "mptcpaddrd", "endpoints: 3\nmptcpaddr: warning: no CAP_NET_ADMIN ",
		    "0\n"));
	/* Root's programs need none; of them, says what else is wrong. */
	prints(&b, ROOT("$0 init 2>&1 | grep -c warning || true"), 0, ARGS("0\n"));
	bench_close(&b);
}

Test(init, arguments_are_checked, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "init", "broker"), 2, "\"broker\" cannot be");
	says(&b, ARGS("@mptcpaddr", "init", "/"), 2, "\"\" cannot be");
	says(&b, ARGS("@mptcpaddr", "init", "curl", "wget"), 2,
	     "unexpected argument wget");
	says(&b, ARGS("@mptcpaddr", "init", "--force"), 2, "unknown option --force");
	says(&b, ARGS("@mptcpaddr", "init", "/run"), 1,
	     "/run is a directory, not a program\n");
	says(&b, ARGS("@mptcpaddr", "init", "lo"), 1,
	     "lo is an interface, not a program");
	bench_close(&b);
}
