// SPDX-License-Identifier: MIT
/*
 * programs.c - real programs that cannot load the library
 */
#include "launcher.h"

#include "tools/mptcpaddr/program.h"

#include <elf.h>
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
	warned_once(&b, argv, NULL);
	bench_close(&b);
}

/* The library is in its environment, and passes nothing to a constructor. */
Test(programs, musl_child_of_a_glibc_program_runs, TIMEOUT)
{
	struct bench b;

	NEED_SANDBOX();
	bench_open(&b);
	says(&b, ARGS("@mptcpaddr", "run", "/usr/bin/env", "@@hello-musl"), 1,
	     "secure=0\n");
	bench_close(&b);
}

Test(programs, each_kind_that_is_not_served_is_named, TIMEOUT)
{
	NEED_SANDBOX();
	program(ARGS("@@hello", "a", "b"), NULL);
	program(ARGS("@@hello-static", "a"),
		"hello-static is a static program|dynamically");
	program(ARGS("@@hello-static-pie"),
		"hello-static-pie is a static program|dynamically");
	program(ARGS("gosu", "--version"),
		"/gosu is a Go program|GODEBUG=multipathtcp=1");
	program(ARGS("@@hello-musl", "a"), "another C library (musl)|a build for glibc");
	program(ARGS("@@hello32"),
		"is a 32-bit x86 program, but the library is 64-bit x86-64");
	/* The dynamic linker has none itself, but loads libraries. */
	program(ARGS("/lib64/ld-linux-x86-64.so.2", "@@hello", "a"), NULL);
}

Test(programs, dynamic_go_program_is_named, TIMEOUT)
{
	struct binary go;

	/* The test needs a dynamic one. */
	cr_assert_eq(binary_read("/usr/bin/fzf", &go), 0);
	cr_assert(go.loads_libraries);
	program(ARGS("fzf", "--version"), "/fzf is a Go program|GODEBUG=multipathtcp=1");
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

Test(programs, script_is_checked_by_its_interpreter, TIMEOUT)
{
	char line[PATH_MAX + 8];

	NEED_SANDBOX();
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

Test(programs, script_without_its_interpreter_is_not_run, TIMEOUT)
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

Test(programs, unreadable_program_is_run, TIMEOUT)
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

/* A damaged file is read or refused, without a crash. */
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
			/* Mostly the headers, at both ends. */
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

/* A copy of hello whose header says @machine and @class. */
static void header(struct bench *b, unsigned int machine, unsigned char class,
		   const char *words)
{
	const unsigned char bytes[] = { machine & 0xff, machine >> 8 };
	int fd;

	shell(b, "rm -f /run/hello-other");
	says(b, ARGS("cp", "-v", "@@hello", "/run/hello-other"), 0, "hello-other");
	fd = open("/run/hello-other", O_WRONLY | O_CLOEXEC);
	cr_assert_eq(pwrite(fd, bytes, 2, offsetof(Elf64_Ehdr, e_machine)), 2);
	cr_assert_eq(pwrite(fd, &class, 1, EI_CLASS), 1);
	close(fd);
	says(b, ARGS("@mptcpaddr", "run", "/run/hello-other"), 126, "Exec format error");
	says(b, ARGS("@mptcpaddr", "run", "/run/hello-other"), 126, words);
}

Test(programs, machine_of_a_program_is_named, TIMEOUT)
{
	static const struct {
		unsigned int machine;
		unsigned char class;
		const char *words;
	} cases[] = {
		{ EM_AARCH64, ELFCLASS64, "is a 64-bit AArch64 program" },
		{ EM_ARM, ELFCLASS32, "is a 32-bit Arm program" },
		{ EM_RISCV, ELFCLASS64, "is a 64-bit RISC-V program" },
		{ EM_PPC64, ELFCLASS64, "is a 64-bit PowerPC program" },
		{ EM_PPC, ELFCLASS32, "is a 32-bit PowerPC program" },
		{ EM_S390, ELFCLASS64, "is a 64-bit S/390 program" },
		{ EM_MIPS, ELFCLASS64, "is a 64-bit MIPS program" },
		{ EM_IA_64, ELFCLASS64, "is a 64-bit machine 50 program" },
	};
	struct bench b;
	size_t i;

	NEED_SANDBOX();
	bench_open(&b);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		header(&b, cases[i].machine, cases[i].class, cases[i].words);
	bench_close(&b);
}

/* This system's linker under another name: the program runs. */
Test(programs, unknown_c_library_is_named_by_its_linker, TIMEOUT)
{
	static const char linker[28] = "/run/ld-uClibc.so.0";
	static char bytes[1 << 20];
	struct bench b;
	ssize_t n;
	char *at;
	int fd;

	NEED_SANDBOX();
	bench_open(&b);
	shell(&b, "cp -L /lib64/ld-linux-x86-64.so.2 /run/ld-uClibc.so.0");
	says(&b, ARGS("cp", "-v", "@@hello", "/run/hello-uclibc"), 0, "hello-uclibc");
	fd = open("/run/hello-uclibc", O_RDWR | O_CLOEXEC);
	n = read(fd, bytes, sizeof(bytes));
	cr_assert(n > 0 && (at = memmem(bytes, n, "/lib64/ld-linux-x86-64.so.2", 28)));
	cr_assert_eq(pwrite(fd, linker, sizeof(linker), at - bytes), 28);
	close(fd);
	warned_once(&b, ARGS("/run/hello-uclibc", "a"),
		    "uses another C library (ld-uClibc.so.0)|a build for glibc");
	bench_close(&b);
}
