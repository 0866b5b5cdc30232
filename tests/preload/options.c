// SPDX-License-Identifier: MIT
/*
 * options.c - checklist 24: setsockopt() and getsockopt() have the results of TCP, but
 * for the lists of libmptcpaddr(7)
 */
#include "preload.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/common/sockopt.h"

#define MANUAL "tools/mptcpaddr/libmptcpaddr.7"

/* Return: whether the subsection of the manual contains the word @name. */
static bool manual_names(const char *subsection, const char *name)
{
	static char *text;
	const char *from, *to, *at;
	char heading[64];

	if (!text)
		text = get_file(MANUAL);
	cr_assert(text, MANUAL);
	snprintf(heading, sizeof(heading), "\n.Ss %s\n", subsection);
	from = strstr(text, heading);
	cr_assert(from, "%s has no subsection \"%s\"", MANUAL, subsection);
	to = strstr(from + 1, "\n.Ss ");
	for (at = from; (at = strstr(at, name)) && at < to; at++)
		if (strchr(" \n", at[-1]) && strchr(" ,.\n", at[strlen(name)]))
			return true;
	return false;
}

#define HARMLESS "Harmless options"
#define PLAIN	 "Options that make a socket plain TCP"
#define FAILING	 "Options that fail on a socket in use"

Test(options, manual_lists_each_option_with_its_kind)
{
	for (size_t i = 0; i < n_sockopts; i++) {
		const struct sockopt *opt = &sockopts[i];

		cr_expect_eq(manual_names(HARMLESS, opt->text),
			     opt->kind == SOCKOPT_HINT || opt->kind == SOCKOPT_FLAG, "%s",
			     opt->text);
		cr_expect_eq(manual_names(FAILING, opt->text),
			     opt->kind == SOCKOPT_PROMISE, "%s", opt->text);
		cr_expect(opt->kind == SOCKOPT_EXACT || !manual_names(PLAIN, opt->text),
			  "%s", opt->text);
	}
}

static const char *option_text(int level, int name)
{
	const struct sockopt *opt = sockopt_find(level, name);

	if (opt)
		return opt->text;
	if (level == SOL_SOCKET && name == SO_PROTOCOL)
		return "SO_PROTOCOL";
	return level == IPPROTO_TCP && name == 43 ? "TCP_IS_MPTCP" : "?";
}

/* Lines such as "4 fresh 6/12: ok/ok=1 …". Return: the number of options. */
static int compare_tables(char *native, char *preloaded, bool fresh)
{
	char *a, *b, *rest_a, *rest_b;
	const char *text;
	int level, name, n = 0, differ = 0;

	a = strtok_r(native, "\n", &rest_a);
	b = strtok_r(preloaded, "\n", &rest_b);
	for (; a && b; n++) {
		if (strcmp(a, b) && sscanf(a, "%*s %*s %d/%d", &level, &name) == 2) {
			differ++;
			text = option_text(level, name);
			cr_expect((!fresh && manual_names(FAILING, text)) ||
					  manual_names("Differences from TCP", text),
				  "%s:\n%s\n%s", text, a, b);
		} else {
			cr_expect_str_eq(b, a);
		}
		a = strtok_r(NULL, "\n", &rest_a);
		b = strtok_r(NULL, "\n", &rest_b);
	}
	cr_expect(!a && !b);
	cr_expect_gt(differ, 0, "these sockets are not MPTCP");
	return n;
}

static void table_is_native(const char *family, const char *state)
{
	const struct program g = { .argv = { "options", family, state } };
	char *native, *preloaded;
	struct lab lab;

	lab_open(&lab);
	native = program_run(&lab, &g, NATIVE);
	preloaded = program_run(&lab, &g, POOL);
	cr_expect_geq(compare_tables(native, preloaded, !strcmp(state, "fresh")), 512);
	free(native);
	free(preloaded);
	lab_close(&lab);
}

#define TABLE(state)                                                          \
	Test(options, every_option_of_a_##state##_IPv4_socket_is_as_natively, \
	     .timeout = 120)                                                  \
	{                                                                     \
		table_is_native("4", #state);                                 \
	}                                                                     \
	Test(options, every_option_of_a_##state##_IPv6_socket_is_as_natively, \
	     .timeout = 120)                                                  \
	{                                                                     \
		table_is_native("6", #state);                                 \
	}

TABLE(fresh)
TABLE(listening)
TABLE(connected)
TABLE(accepted)

#define SERVER LAB_ADDRESS, LAB_PORT

#define REPLACED(name, wire, ...) SAME_IN_BOTH_MODES(options, name, wire, __VA_ARGS__)

REPLACED(unused_socket_becomes_TCP_and_keeps_all_it_had, TCP, "replaced", "plain", SERVER)
REPLACED(unused_IPv6_socket_becomes_TCP_and_keeps_all_it_had, TCP, "replaced", "plain",
	 "dead:beef:1::1", LAB_PORT)
REPLACED(thread_may_replace_its_socket, TCP, "replaced", "thread", SERVER)
REPLACED(child_connects_a_replaced_socket, TCP, "replaced", "fork", SERVER)
REPLACED(socket_that_the_parent_has_stays, MPTCP, "replaced", "child", SERVER)
REPLACED(socket_with_a_second_descriptor_stays, MPTCP, "replaced", "dup", SERVER)
REPLACED(socket_in_an_epoll_stays, MPTCP, "replaced", "epoll", SERVER)
REPLACED(bound_socket_stays, MPTCP, "replaced", "bound", SERVER)

/* What a user types, against an echo server. */
#define TOOL(name, wire, ...)                                                          \
	Test(options, name##_prints_what_it_prints_natively, TIMEOUT)                  \
	{                                                                              \
		const struct program g = { .argv = { __VA_ARGS__ }, .in = "hello\n" }; \
		same_in_both_modes(&g, wire);                                          \
	}

/* Before 9.20, dig sets TCP_USER_TIMEOUT. */
static enum lab_wire dig_wire(void)
{
	static const char *const argv[] = { "sh", "-c", "dig -v 2>&1", NULL };
	enum lab_wire wire;
	struct proc p;
	char *version;

	cr_assert_eq(proc_start(&p, NULL, argv, NULL), 0);
	proc_eof(&p);
	cr_assert_eq(proc_wait(&p, EFFECT_MS), 0);
	version = proc_output(&p);
	cr_assert(strstr(version, "DiG 9."), "%s", version);
	wire = strstr(version, "DiG 9.1") ? TCP : MPTCP;
	free(version);
	proc_end(&p);
	return wire;
}

TOOL(dig_over_tcp, dig_wire(), "/usr/bin/dig", "+tcp", "+tries=1", "+time=5", "+qid=1",
     "+nocookie", "+nostats", "@10.0.1.1", "-p", LAB_PORT, "example.org")
TOOL(psql_with_tcp_user_timeout, TCP, "/usr/bin/psql",
     "host=" LAB_ADDRESS " port=" LAB_PORT
     " user=x dbname=x sslmode=disable gssencmode=disable tcp_user_timeout=3000")
TOOL(nc_with_a_ttl, TCP, "/bin/nc.openbsd", "-N", "-M", "9", SERVER)
TOOL(nc_with_a_minimal_ttl, TCP, "/bin/nc.openbsd", "-N", "-m", "1", SERVER)
TOOL(nc, MPTCP, "/bin/nc.openbsd", "-N", SERVER)
TOOL(socat_with_a_ttl, TCP, "/usr/bin/socat", "-",
     "TCP:" LAB_ADDRESS ":" LAB_PORT ",ttl=9")
TOOL(socat_with_mtudiscover, TCP, "/usr/bin/socat", "-",
     "TCP:" LAB_ADDRESS ":" LAB_PORT ",mtudiscover=2")
TOOL(socat_with_syncnt, TCP, "/usr/bin/socat", "-",
     "TCP:" LAB_ADDRESS ":" LAB_PORT ",syncnt=3")
TOOL(telnet, MPTCP, "/usr/bin/telnet", SERVER)

static void log_contains(const char *file, const char *line)
{
	char *text = get_file(file), *first = text ? strstr(text, line) : NULL;

	cr_expect(first, "\"%s\" is not in the log:\n%s", line, text ?: "");
	cr_expect(!first || !strstr(first + 1, line), "logged twice: %s", text);
	free(text);
}

Test(options, log_says_once_what_was_done, TIMEOUT)
{
	struct program g = { .argv = { "replaced", "plain", SERVER },
			     .preload_env = { "MPTCPADDR_LOG=info:/run/log" } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, TCP);
	log_contains("/run/log", "info: MPTCP refuses TCP_QUICKACK: ignored");
	log_contains("/run/log", "warning: MPTCP refuses TCP_USER_TIMEOUT: the "
				 "socket is plain TCP");
	g.argv[1] = "bound";
	g.preload_env[0] = "MPTCPADDR_LOG=warning:/run/bound";
	same_as_native(&lab, &g, POOL, MPTCP);
	log_contains("/run/bound",
		     "TCP_USER_TIMEOUT: ignored, since the socket is in use");
	lab_close(&lab);
}

Test(options, tolerated_option_leaves_MPTCP, TIMEOUT)
{
	const struct program g = { .argv = { "replaced", "plain", SERVER } };
	struct lab lab;

	lab_open(&lab);
	lab_pool(&lab, "[app]\ntolerate = IP_TTL, TCP_USER_TIMEOUT\n");
	same_as_native(&lab, &g, POOL, MPTCP);
	lab_close(&lab);
}

/* The program's own MPTCP sockets, and those that they accept. */
SAME_IN_BOTH_MODES(options, sockets_that_the_program_made_MPTCP_are_left_alone, TCP,
		   "own")
