// SPDX-License-Identifier: MIT
/*
 * programs.c - programs that the library cannot be loaded into, each a real one
 */
#include "launcher.h"

#include "tools/mptcpaddr/elf.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define MUTATIONS 4000

/* One program, natively and under the launcher. */
static void program(const char *const argv[], const char *words)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	warned_once(&b, argv, words);
	bench_close(&b);
}

Test(programs, nothing_is_said_of_an_ordinary_program, TIMEOUT)
{
	program(ARGS("@@hello", "a", "b"), NULL);
}

Test(programs, launcher_says_that_a_static_program_is_not_served, TIMEOUT)
{
	program(ARGS("@@hello-static", "a"),
		"hello-static is a static program|dynamically");
}

Test(programs, launcher_says_that_a_static_pie_is_not_served, TIMEOUT)
{
	program(ARGS("@@hello-static-pie"),
		"hello-static-pie is a static program|dynamically");
}

Test(programs, launcher_says_that_a_static_go_program_is_not_served, TIMEOUT)
{
	program(ARGS("gosu", "--version"),
		"/gosu is a Go program|GODEBUG=multipathtcp=1");
}

Test(programs, launcher_says_that_a_dynamic_go_program_is_not_served, TIMEOUT)
{
	struct binary go;

	/* It is what the test is about. */
	cr_assert_eq(binary_read("/usr/bin/fzf", &go), 0);
	cr_assert(go.loads_libraries);
	program(ARGS("fzf", "--version"), "/fzf is a Go program|GODEBUG=multipathtcp=1");
}

Test(programs, launcher_says_that_a_program_of_another_libc_is_not_served, TIMEOUT)
{
	program(ARGS("@@hello-musl", "a"), "another C library (musl)|a build for glibc");
}

Test(programs, launcher_says_that_a_32_bit_program_is_not_served, TIMEOUT)
{
	program(ARGS("@@hello32"),
		"is a 32-bit x86 program, but the library is 64-bit x86-64");
}

/* Only its header says that it is another machine's: this one refuses to run it. */
Test(programs, launcher_says_that_a_program_of_another_machine_is_not_served, TIMEOUT)
{
	unsigned char machine = 183; /* EM_AARCH64 */
	struct said said;
	struct bench b;
	int fd;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL, ARGS("cp", "@@hello", "/run/hello-arm"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	fd = open("/run/hello-arm", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, &machine, 1, 18), 1); /* e_machine */
	close(fd);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "/run/hello-arm"));
	cr_expect_eq(said.status, 126);
	cr_expect_eq(times(&said, "is a 64-bit AArch64 program"), 1, "%s", said.err);
	cr_expect_eq(times(&said, "Exec format error"), 1, "%s", said.err);
	cr_expect_str_eq(said.out, "");
	said_free(&said);
	bench_close(&b);
}

/* A script's first line, in /run/script. */
static void script(const char *line, const char *words)
{
	char text[PATH_MAX + 64];

	NEED_SANDBOX();
	snprintf(text, sizeof(text), "%s\necho served\n", line);
	put_file("/run/script", text, 0755);
	program(ARGS("/run/script"), words);
}

Test(programs, script_is_judged_by_its_interpreter, TIMEOUT)
{
	char line[PATH_MAX + 8];

	script("#!/bin/sh", NULL);
	script("#! /usr/bin/env sh", NULL);
	script("#!/usr/bin/env -S A=b sh -e", NULL);
	script("# no interpreter: the shell", NULL);
	snprintf(line, sizeof(line), "#!%s word",
		 path_of("tests/launcher-progs/hello-static"));
	script(line, "hello-static is a static program");
	snprintf(line, sizeof(line), "#!/usr/bin/env %s",
		 path_of("tests/launcher-progs/hello-static"));
	script(line, "hello-static is a static program");
}

Test(programs, script_whose_interpreter_is_not_there_is_not_run, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	put_file("/run/none", "#!/run/no-such-shell\n", 0755);
	put_file("/run/round", "#!/run/round\n", 0755);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "/run/none"));
	cr_expect_eq(said.status, 126);
	cr_expect_eq(times(&said, "No such file"), 1, "%s", said.err);
	said_free(&said);
	said = run(&b, NULL, ARGS("@mptcpaddr", "run", "/run/round"));
	cr_expect_eq(said.status, 126);
	cr_expect_eq(times(&said, "Too many levels"), 1, "%s", said.err);
	said_free(&said);
	bench_close(&b);
}

/* The dynamic linker has no dynamic linker, and loads libraries all the same. */
Test(programs, dynamic_linker_as_a_program_is_no_static_program, TIMEOUT)
{
	program(ARGS("/lib64/ld-linux-x86-64.so.2", "@@hello", "a"), NULL);
}

Test(programs, file_that_may_be_run_and_not_read_is_run, TIMEOUT)
{
	struct said said;
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	said = run(&b, NULL, ARGS("cp", "@@hello", "/run/hello-unread"));
	cr_assert_eq(said.status, 0);
	said_free(&said);
	cr_assert_eq(chmod("/run/hello-unread", 0111), 0);
	said = run(&b, NULL,
		   ARGS("setpriv", "--bounding-set", "-dac_override,-dac_read_search",
			"@mptcpaddr", "run", "/run/hello-unread"));
	cr_expect_eq(said.status, 1, "%s", said.err);
	cr_expect_str_eq(said.out, "secure=0\n");
	said_free(&said);
	bench_close(&b);
}

static void write_all(int fd, const char *bytes, size_t len)
{
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(pwrite(fd, bytes, len, 0), (ssize_t)len);
}

/* Whatever is in such a file: read, judged or refused, and nothing worse. */
static void damaged(const char *name)
{
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC), out, i, k;
	static char good[1 << 21], bad[1 << 21];
	ssize_t len = read(fd, good, sizeof(good));
	struct binary ret;

	close(fd);
	cr_assert_gt(len, 4096);
	out = open("/run/damaged", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(out, 0);
	srand(1);
	for (i = 0; i < MUTATIONS; i++) {
		size_t cut = i % 4 ? (size_t)len : (size_t)rand() % len;

		memcpy(bad, good, len);
		for (k = 0; k < 1 + i % 8; k++) {
			/* The headers at either end more than the rest. */
			size_t at = i % 3 == 0	 ? rand() % 1024
				    : i % 3 == 1 ? len - 1 - rand() % 4000
						 : rand() % len;

			bad[at < 4 ? 4 : at] = rand() % 3 ? rand() : -(rand() % 2);
		}
		write_all(out, bad, cut < 4096 ? cut : cut < 65536 ? cut : (size_t)len);
		binary_read("/run/damaged", &ret);
	}
	close(out);
}

Test(programs, damaged_elf_files_do_no_harm, TIMEOUT)
{
	NEED_SANDBOX();
	damaged("tests/launcher-progs/hello");
	damaged("tests/launcher-progs/hello-static-pie");
}
