// SPDX-License-Identifier: MIT
/*
 * wordsize.c - one family of processes, 64-bit and 32-bit, each with its own library
 */
#include "launcher.h"

#include <stdio.h>
#include <sys/stat.h>

#define LIBRARY "/libmptcpaddr.so"
#define OWN	"/lib/x86_64-linux-gnu" /* $LIB of Debian's amd64 */
#define OTHER	"/lib32"		/* $LIB of libc6-i386, which runs the program */

static char prefix[] = "/run/prefix.XXXXXX";

/* Below the prefix; in one of a few static buffers. */
static const char *in(const char *path)
{
	static char paths[8][128];
	static unsigned int next;

	next = (next + 1) % 8;
	snprintf(paths[next], sizeof(paths[next]), "%s%s", prefix, path);
	return paths[next];
}

static void copy(struct bench *b, const char *from, const char *to)
{
	struct said said = run(b, NULL, ARGS("cp", from, to));

	cr_assert_eq(said.status, 0, "%s", said.err);
	said_free(&said);
}

/* The tool and its library; with @both, also the one for 32-bit programs. */
static void installed(struct bench *b, bool both)
{
	cr_assert(mkdtemp(prefix));
	cr_assert_eq(mkdir(in("/lib"), 0755), 0);
	cr_assert_eq(mkdir(in(OWN), 0755), 0);
	cr_assert_eq(mkdir(in(OTHER), 0755), 0);
	copy(b, "@mptcpaddr", in(OWN));
	copy(b, "@libmptcpaddr.so", in(OWN));
	if (both)
		copy(b, "@@lib32" LIBRARY, in(OTHER));
}

/* A script, a 64-bit program and a 32-bit one under it, and what they print. */
static struct said family(struct bench *b, const char *launcher, const char *preload,
			  int protocol_32)
{
	char want[256];
	struct said said;

	said = run(b, NULL,
		   ARGS(in(launcher), "run", "sh", "-c", "echo $LD_PRELOAD; $0; $1",
			path_of("tests/launcher-progs/protocol"),
			path_of("tests/launcher-progs/protocol-32")));
	cr_expect_eq(said.status, 0);
	snprintf(want, sizeof(want), "%s\n64 bits: protocol 262\n32 bits: protocol %d\n",
		 in(preload), protocol_32);
	cr_expect_str_eq(said.out, want);
	return said;
}

Test(wordsize, two_libraries_are_named_by_lib_variable, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	installed(&b, true);
	said = family(&b, OWN "/mptcpaddr", "/$LIB" LIBRARY, 262);
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	/* Started directly, it causes no warning. */
	said = run(&b, NULL, ARGS(in(OWN "/mptcpaddr"), "run", "@@protocol-32"));
	cr_expect_str_eq(said.out, "32 bits: protocol 262\n");
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

/* $LIB avoids this message of the dynamic linker. */
Test(wordsize, one_library_is_named_by_its_path, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	installed(&b, false);
	said = family(&b, OWN "/mptcpaddr", OWN LIBRARY, 6);
	cr_expect_eq(times(&said, "cannot be preloaded"), 1, "%s", said.err);
	said_free(&said);
	said = run(&b, NULL,
		   ARGS(in(OWN "/mptcpaddr"), "run", "--no-supervise", "@@protocol-32"));
	cr_expect_str_eq(said.out, "32 bits: protocol 6\n");
	cr_expect_eq(times(&said, "is a 32-bit x86 program"), 1, "%s", said.err);
	said_free(&said);
	said = run(&b, NULL, ARGS(in(OWN "/mptcpaddr"), "run", "@@protocol-32"));
	cr_expect_str_eq(said.out, "32 bits: protocol 262\n");
	cr_expect_str_eq(said.err, "");
	said_free(&said);
	bench_close(&b);
}

/* A directory named like $LIB of another system. */
Test(wordsize, foreign_lib_directory_is_named_by_its_path, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	installed(&b, true);
	cr_assert_eq(rename(in(OWN), in("/lib64")), 0);
	said = family(&b, "/lib64/mptcpaddr", "/lib64" LIBRARY, 6);
	said_free(&said);
	bench_close(&b);
}
