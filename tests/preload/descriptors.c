// SPDX-License-Identifier: MIT
/*
 * descriptors.c - checklist 12 to 15: the library adds nothing to the program's
 * descriptors, children, locks and threads
 */
#include "preload.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER		      LAB_ADDRESS, LAB_PORT
#define SAME(name, wire, ...) SAME_IN_BOTH_MODES(descriptors, name, wire, __VA_ARGS__)

SAME(the_same_before_and_after_connect, MPTCP, "fds", SERVER)
SAME(none_of_ours_in_any_child, MPTCP, "children", SERVER)
SAME(end_of_file_locks_and_ports_are_given_up_as_natively, MPTCP, "release", SERVER,
     "/run/release.lock")
SAME(one_thread_in_a_program_that_does_nothing, TCP, "count", "nothing")
SAME(one_thread_in_a_program_that_never_connects_its_socket, TCP, "count", "socket")
/* Its child connects to it over loopback. */
SAME(one_thread_in_a_program_that_only_accepts, TCP, "count", "listen")
SAME(one_thread_in_a_program_that_connects_udp, TCP, "count", "udp", LAB_ADDRESS, "9")
SAME(one_thread_in_a_program_that_connects_unix, TCP, "count", "unix")

Test(descriptors, none_of_ours_with_a_log, TIMEOUT)
{
	const struct program g = { .argv = { "fds", SERVER },
				   .preload_env = {
					   "MPTCPADDR_LOG=error:/run/fds.log" } };

	same_in_both_modes(&g, MPTCP);
}

#define OPENING \
	"trace=open,openat,socket,dup,dup3,accept4,memfd_create,eventfd2,epoll_create1"

/* Another thread may fork at any moment. */
Test(descriptors, all_of_ours_are_close_on_exec_from_the_start, TIMEOUT)
{
	const struct program g = {
		.argv = { "/usr/bin/strace", "-f", "-qq", "-e", OPENING, "-o",
			  "/run/trace", program_path("client"), LAB_ADDRESS, LAB_PORT }
	};
	char *text, *line, *rest;
	struct lab lab;
	int ours = 0;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, MPTCP);
	text = get_file("/run/trace");
	cr_assert(text);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (strstr(line, "socket(AF_INET, SOCK_STREAM, ") || strstr(line, "+++"))
			continue; /* the program's own */
		if (strstr(line, "<detached"))
			continue; /* strace's: the process ended first */
		ours += strstr(line, "NETLINK_GENERIC") || strstr(line, lab.pool);
		cr_expect(strstr(line, "CLOEXEC") || strstr(line, "resumed"), "%s", line);
	}
	cr_assert_gt(ours, 1, "the library did nothing");
	free(text);
	lab_close(&lab);
}

Test(descriptors, one_thread_without_a_pool_however_it_connects, TIMEOUT)
{
	const struct program g = { .argv = { "count", "connect", LAB_ADDRESS,
					     LAB_PORT } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}
