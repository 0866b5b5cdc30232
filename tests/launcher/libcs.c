// SPDX-License-Identifier: MIT
/*
 * libcs.c - the library for another libc, or with a time_t of another size, and the
 * broker
 */
#include "counter.h"
#include "traffic.h"

#include <stdio.h>

#define ANNOUNCED ARGS("10.0.2.1")
#define POOL	  "[pool]\nendpoint = 10.0.1.2\nendpoint = 10.0.2.2\nendpoint = 10.0.3.2\n"
#define CLIENTS	  100

struct lab {
	struct bench bench;
	struct proc broker, server;
};

static void lab_open(struct lab *lab, const char *const announced[])
{
	bench_open(&lab->bench);
	user_pool(&lab->bench, "default.conf", POOL);
	start_broker(&lab->bench, &lab->broker);
	traffic_serve(&lab->bench, &lab->server, false, announced);
}

static void lab_close(struct lab *lab)
{
	proc_end(&lab->server);
	proc_end(&lab->broker);
	bench_close(&lab->bench);
}

static void start_client(struct lab *lab, struct proc *client, const char *library,
			 const char *const argv[])
{
	char preload[PATH_MAX];

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", path_of(library));
	start(&lab->bench, client, ARGS(preload), argv);
}

/* The server announces two addresses. @opening: of tcpclient.c. */
static void three_paths(const char *library, const char *program, const char *opening)
{
	struct proc client;
	struct lab lab;

	lab_open(&lab, ARGS("10.0.2.1", "10.0.3.1"));
	start_client(&lab, &client, library,
		     ARGS(program, "-o", opening, "10.0.1.1", TRAFFIC_PORT));
	traffic_pairs(&lab.bench, "10.0.2.2-10.0.2.1 10.0.3.2-10.0.3.1");
	cr_expect_eq(counter(&lab.bench.world.client, "MPJoinSynTx"), 2);
	proc_eof(&client);
	proc_end(&client);
	lab_close(&lab);
}

#define MUSL   "tests/launcher-progs/musl/libmptcpaddr.so", "@@client-musl-shared"
#define TIME64 "tests/launcher-progs/lib32time64/libmptcpaddr.so", "@@client-time64"
/* It also serves programs with a time_t of 64 bits. */
#define TIME32 "tests/launcher-progs/lib32/libmptcpaddr.so", "@@client-time64"

Test(libcs, musl_program_has_three_paths, TIMEOUT)
{
	NEED_SANDBOX();
	three_paths(MUSL, "connect");
	three_paths(MUSL, "sendmmsg");
	three_paths(MUSL, "firstwrite");
}

/* With a time_t of 64 bits, it calls __sendmsg64(), __sendmmsg64() and __setsockopt64().
 */
Test(libcs, program_with_64_bit_time_has_three_paths, TIMEOUT)
{
	NEED_SANDBOX();
	three_paths(TIME64, "connect");
	three_paths(TIME64, "sendmsg");
	three_paths(TIME64, "sendmmsg");
	three_paths(TIME64, "firstwrite");
	three_paths(TIME32, "sendmmsg");
}

/* All start at once, in threads, and wait for the same manager. */
static void every_client_has_two_paths(const char *library, const char *program)
{
	struct proc client;
	struct lab lab;

	lab_open(&lab, ARGS("10.0.2.1"));
	start_client(&lab, &client, library,
		     ARGS(program, "-N", "0", "10.0.1.1", TRAFFIC_PORT));
	proc_tell(&client, "burst 100");
	cr_expect(WAIT_FOR(joined_count(&lab.bench.world.client) == CLIENTS),
		  "%d of %d have a second path", joined_count(&lab.bench.world.client),
		  CLIENTS);
	proc_eof(&client);
	proc_end(&client);
	lab_close(&lab);
}

Test(libcs, hundred_clients_at_once_have_a_second_path, TIMEOUT)
{
	NEED_SANDBOX();
	every_client_has_two_paths(TIME64);
	every_client_has_two_paths(MUSL);
}

/* Of libc's two layouts of a time, the kernel would read one as no time at all. */
Test(libcs, library_waits_with_each_size_of_time, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@@waits-32"), 0, "clock right, waited long, lock long");
	says(&b, ARGS("@@waits-time64"), 0, "clock right, waited long, lock long");
	bench_close(&b);
}
