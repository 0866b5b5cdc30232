// SPDX-License-Identifier: MIT
/*
 * transparency.c - checklist 1, 2, 4, 5: a program sees the same as natively
 */
#include "preload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "metered.h"

static const struct program sockets = { .argv = { "sockets" } };
static const struct program client = { .argv = { "client", LAB_ADDRESS, LAB_PORT } };
static const struct program client_v6 = { .argv = { "client", "dead:beef:1::1",
						    LAB_PORT } };
static const struct program refused = { .argv = { "client", LAB_ADDRESS, "9" } };
static const struct program unreachable = { .argv = { "client", "203.0.113.1", "80" } };
static const struct program hygiene = { .argv = { "hygiene", LAB_ADDRESS, LAB_PORT } };
static const struct program connects = { .argv = { "connects", LAB_ADDRESS, LAB_PORT } };

/* These print all that they see of themselves. */
static const struct program *const programs[] = { &client,	&client_v6, &refused,
						  &unreachable, &hygiene,   NULL };

static void all_same(struct lab *lab, enum lab_mode mode, enum lab_wire wire)
{
	same_as_native(lab, &client, mode, wire);
	same_as_native(lab, &client_v6, mode, wire);
	same_as_native(lab, &hygiene, mode, wire);
	same_as_native(lab, &refused, mode, TCP);
	same_as_native(lab, &unreachable, mode, TCP);
}

static void all_same_in(enum lab_mode mode)
{
	struct lab lab;

	lab_open(&lab);
	all_same(&lab, mode, MPTCP);
	lab_close(&lab);
}

Test(transparency, programs_behave_as_natively_with_a_pool, TIMEOUT)
{
	all_same_in(POOL);
}

Test(transparency, programs_behave_as_natively_without_a_pool, TIMEOUT)
{
	all_same_in(NO_POOL);
}

Test(transparency, mptcp_off_in_the_namespace_changes_nothing, TIMEOUT)
{
	struct lab lab;

	lab_open(&lab);
	cr_assert_eq(host_sysctl(&lab.world.client, "net/mptcp/enabled", "0"), 0);
	all_same(&lab, POOL, TCP);
	all_same(&lab, NO_POOL, TCP);
	same_as_native(&lab, &sockets, POOL, TCP);
	same_as_native(&lab, &connects, POOL, TCP);
	lab_close(&lab);
}

/* Run the program by tests/apps/deny, which refuses MPTCP with @error. */
static void denied(struct lab *lab, const struct program *program, int error)
{
	char number[16], deny[PATH_MAX];
	struct program g = { .argv = { built("tests/apps/deny", deny, sizeof(deny)), "-",
				       "262" } }; /* IPPROTO_MPTCP */
	int n = 3;

	snprintf(number, sizeof(number), "%d", error);
	g.argv[n++] = number;
	g.argv[n++] = program_path(program->argv[0]);
	for (int i = 1; program->argv[i]; i++)
		g.argv[n++] = program->argv[i];
	same_as_native(lab, &g, POOL, TCP);
	same_as_native(lab, &g, NO_POOL, TCP);
}

static void denied_with(int error)
{
	struct lab lab;

	lab_open(&lab);
	for (int i = 0; programs[i]; i++)
		denied(&lab, programs[i], error);
	lab_close(&lab);
}

#define DENIED(error)                                                            \
	Test(transparency, mptcp_denied_with_##error##_changes_nothing, TIMEOUT) \
	{                                                                        \
		denied_with(error);                                              \
	}

DENIED(EACCES)
DENIED(EPERM)
DENIED(EINVAL)
DENIED(EPROTONOSUPPORT)
DENIED(ENOPROTOOPT)
DENIED(EAFNOSUPPORT)
DENIED(ENOSYS)

static void at_limit(struct lab *lab, const char *limit)
{
	const struct program g = { .argv = { "exhaust", limit, LAB_ADDRESS, LAB_PORT } };

	same_as_native(lab, &g, POOL, MPTCP);
	same_as_native(lab, &g, NO_POOL, MPTCP);
}

Test(transparency, no_free_descriptor_is_EMFILE_as_without_the_library, TIMEOUT)
{
	struct lab lab;

	lab_open(&lab);
	at_limit(&lab, "4");
	at_limit(&lab, "5");
	at_limit(&lab, "9");
	lab_close(&lab);
}

#define SAME(name, wire, ...) SAME_IN_BOTH_MODES(transparency, name, wire, __VA_ARGS__)
#define SERVER		      LAB_ADDRESS, LAB_PORT

SAME(errno_stdio_signals_umask_and_cwd_are_untouched, MPTCP, "hygiene", SERVER)
SAME(other_families_types_and_protocols_are_untouched, TCP, "sockets")
SAME(connect_fails_and_blocks_as_natively, MPTCP, "connects", SERVER)
SAME(nonblocking_connect_stays_nonblocking, MPTCP, "connects", SERVER, "nonblocking")
SAME(little_stack_is_enough_to_connect, MPTCP, "small", SERVER)

/* Over TCP, they connect first, too, if the server has given no cookie. */
Test(transparency, sends_behave_as_natively, TIMEOUT)
{
	const struct program g = { .argv = { "sends", SERVER } };
	struct lab lab;

	lab_open(&lab);
	cr_assert_eq(host_sysctl(&lab.world.server, "net/ipv4/tcp_fastopen", "1"), 0);
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}

/* libc reads TZ at the first localtime_r(), which must not be the manager's. */
Test(transparency, time_zone_is_read_when_the_program_asks, TIMEOUT)
{
	struct program g = { .argv = { "zone", LAB_ADDRESS, LAB_PORT } };
	char *native, *text;
	struct lab lab;

	lab_open(&lab);
	cr_assert_eq(metered_mount(), 0);
	lab_pool(&lab, "[policy]\nquota = 5G/day\n[pool]\nendpoint = 10.0.1.2 metered\n");
	native = program_run(&lab, &g, NATIVE);
	g.argv[3] = "/var/lib/mptcpaddr/metered.0";
	text = program_run(&lab, &g, POOL);
	cr_expect_str_eq(text, native);
	cr_expect(strstr(text, "\n5\n"), "%s", text);
	free(native);
	free(text);
	lab_close(&lab);
}

/* Checklist 20. */
Test(transparency, process_ends_with_its_last_thread_as_natively, TIMEOUT)
{
	static const struct program leaves[] = {
		{ .argv = { "leave", LAB_ADDRESS, LAB_PORT } },
		{ .argv = { "leave", LAB_ADDRESS, LAB_PORT, "late" } },
		{ .argv = { "leave", LAB_ADDRESS, LAB_PORT, "cancel" } },
		{ .argv = { "leave", LAB_ADDRESS, LAB_PORT, "raw" } },
	};
	struct lab lab;

	lab_open(&lab);
	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
		same_as_native(&lab, &leaves[i], POOL, MPTCP);
	lab_close(&lab);
}
