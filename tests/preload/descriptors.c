// SPDX-License-Identifier: MIT
/*
 * descriptors.c - checklist 12 to 15: nothing of the library's among the program's
 * descriptors, children, locks and threads
 */
#include "preload.h"

#include <unistd.h>

static void both(const struct guest *g, enum lab_wire wire)
{
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, g, POOL, wire);
	same_as_native(&lab, g, NO_POOL, wire);
	lab_close(&lab);
}

Test(descriptors, the_same_before_and_after_connect, TIMEOUT)
{
	both(&(struct guest){ .argv = { "fds", LAB_ADDRESS, LAB_PORT } }, MPTCP);
}

Test(descriptors, none_of_ours_with_a_log, TIMEOUT)
{
	both(&(struct guest){ .argv = { "fds", LAB_ADDRESS, LAB_PORT },
			      .preload_env = { "MPTCPADDR_LOG=error:/run/fds.log" } },
	     MPTCP);
	unlink("/run/fds.log");
}

Test(descriptors, none_of_ours_in_any_child, TIMEOUT)
{
	both(&(struct guest){ .argv = { "children", LAB_ADDRESS, LAB_PORT } }, MPTCP);
}

Test(descriptors, end_of_file_locks_and_ports_are_given_up_as_natively, TIMEOUT)
{
	both(&(struct guest){ .argv = { "release", LAB_ADDRESS, LAB_PORT,
					"/run/release.lock" } },
	     MPTCP);
}

Test(descriptors, one_thread_in_a_program_that_does_nothing, TIMEOUT)
{
	both(&(struct guest){ .argv = { "count", "nothing" } }, TCP);
}

Test(descriptors, one_thread_in_a_program_that_never_connects_its_socket, TIMEOUT)
{
	both(&(struct guest){ .argv = { "count", "socket" } }, TCP);
}

Test(descriptors, one_thread_in_a_program_that_only_accepts, TIMEOUT)
{
	/* Its child connects to it, on the client's own loopback. */
	both(&(struct guest){ .argv = { "count", "listen" } }, TCP);
}

Test(descriptors, one_thread_in_a_program_that_connects_udp, TIMEOUT)
{
	both(&(struct guest){ .argv = { "count", "udp", LAB_ADDRESS, "9" } }, TCP);
}

Test(descriptors, one_thread_in_a_program_that_connects_unix, TIMEOUT)
{
	both(&(struct guest){ .argv = { "count", "unix" } }, TCP);
}

Test(descriptors, one_thread_without_a_pool_however_it_connects, TIMEOUT)
{
	const struct guest g = { .argv = { "count", "connect", LAB_ADDRESS, LAB_PORT } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}
