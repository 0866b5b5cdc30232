// SPDX-License-Identifier: MIT
/*
 * loading.c - checklist 6 to 8: loading the library costs little and breaks nothing
 */
#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint.h"
#include "subflow.h"

/* Return: the output of a program that must succeed; the caller frees it. */
static char *output_of(const char *const argv[], const char *const env[])
{
	struct proc p;
	char *text, *errors;
	int r;

	cr_assert_eq(proc_start(&p, NULL, argv, env), 0);
	proc_eof(&p);
	r = proc_wait(&p, EFFECT_MS);
	errors = proc_errors(&p);
	cr_assert_eq(r, 0, "%s: %d %s", argv[0], r, errors);
	free(errors);
	text = proc_output(&p);
	proc_end(&p);
	return text;
}

Test(loading, libc_alone_is_needed, TIMEOUT)
{
	char lib[PATH_MAX], *text, *line, *rest;
	const char *argv[] = { "readelf", "-dW",
			       built("libmptcpaddr.so", lib, sizeof(lib)), NULL };
	int needed = 0;

	text = output_of(argv, NULL);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (!strstr(line, "(NEEDED)"))
			continue;
		needed++;
		cr_expect(strstr(line, "[libc.so.6]"), "%s", line);
	}
	cr_assert_eq(needed, 1);
	free(text);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

Test(loading, hooked_names_alone_are_exported, TIMEOUT)
{
	static const char want[] =
		"accept accept4 chroot connect getsockopt listen pthread_exit "
		"seccomp_load "
		"sendmmsg sendmsg sendto seteuid setns setresuid setreuid setsockopt "
		"setuid "
		"socket unshare ";
	char lib[PATH_MAX], got[1024] = "", *text, *names[64], *line, *rest;
	const char *argv[] = { "nm", "-D", "--defined-only",
			       built("libmptcpaddr.so", lib, sizeof(lib)), NULL };
	size_t count = 0, len = 0;

	text = output_of(argv, NULL);
	for (line = strtok_r(text, "\n", &rest); line && count < 64;
	     line = strtok_r(NULL, "\n", &rest))
		names[count++] = strrchr(line, ' ') + 1;
	qsort(names, count, sizeof(names[0]), by_text);
	for (size_t i = 0; i < count; i++)
		len += snprintf(got + len, sizeof(got) - len, "%s ", names[i]);
	cr_assert_str_eq(got, want, "exported: %s hooked: %s", got, want);
	cr_assert(strstr(got, "socket ") && strstr(got, "connect "), "%s", got);
	free(text);
}

/* Return: the number of system calls @call in a trace of strace. */
static int calls(const char *trace, const char *call)
{
	size_t len = strlen(call);
	int n = 0;

	for (const char *p = trace; (p = strstr(p, call)); p += len)
		n += (p == trace || p[-1] == '\n') && p[len] == '(';
	return n;
}

static char *trace_of(const char *preload)
{
	const char *argv[] = { "strace",
			       "-qq",
			       "-o",
			       "/run/trace",
			       "env",
			       "-u",
			       "XDG_CONFIG_HOME",
			       preload,
			       program_path("nothing"),
			       NULL };
	char *text = output_of(argv, NULL), *start;

	free(text);
	text = get_file("/run/trace");
	cr_assert(text);
	start = strstr(text, "nothing\", ["); /* after the exec of env */
	cr_assert(start, "%s", text);
	memmove(text, start, strlen(start) + 1);
	unlink("/run/trace");
	return text;
}

Test(loading, constructor_starts_no_thread_opens_and_allocates_nothing, TIMEOUT)
{
	static const char *const same[] = { "brk",	"clone",	"clone3",
					    "socket",	"fork",		"getrandom",
					    "futex",	"rt_sigaction", "rt_sigprocmask",
					    "getcwd",	"sched_yield",	"access",
					    "readlink", "sysinfo" };
	char lib[PATH_MAX], preload[PATH_MAX + 16], *with, *without;
	int opened;

	NEED_SANDBOX();
	built("libmptcpaddr.so", lib, sizeof(lib));
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", lib);
	without = trace_of("NOTHING=1");
	with = trace_of(preload);
	cr_assert(strstr(with, "libmptcpaddr.so"), "%s", with);
	opened = calls(with, "openat") + calls(with, "open");
	cr_expect_eq(opened, calls(without, "openat") + calls(without, "open") + 1,
		     "opened besides the library itself: %s", with);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		cr_expect_eq(calls(with, same[i]), calls(without, same[i]),
			     "%s: %d, not %d", same[i], calls(with, same[i]),
			     calls(without, same[i]));
	/* The program itself only exits. */
	cr_expect(strstr(with, "\nmunmap("), "%s", with);
	cr_expect_str_eq(strrchr(strstr(with, "exit_group"), '('),
			 strrchr(strstr(without, "exit_group"), '('));
	free(with);
	free(without);
}

Test(loading, hooks_work_from_another_librarys_constructor, TIMEOUT)
{
	struct program g = { .argv = { "client-ctor", LAB_ADDRESS, LAB_PORT },
			     .env = { "PROGRAM_ADDRESS=" LAB_ADDRESS,
				      "PROGRAM_PORT=" LAB_PORT } };
	const char *ctor = program_path("libctor.so");
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	g.argv[0] = "client";
	g.before = ctor;
	same_as_native(&lab, &g, POOL, MPTCP);
	g.before = NULL;
	g.after = ctor;
	same_as_native(&lab, &g, POOL, MPTCP);
	lab_close(&lab);
}

#define JEMALLOC "libjemalloc.so.2"
#define FAKETIME "/usr/$LIB/faketime/libfaketime.so.1"
#define NEW_YEAR "FAKETIME=@2033-01-01 12:00:00"

/* With another library before or after ours: as natively, and announcements are joined.
 */
static void with_another(const char *before, const char *after)
{
	const struct endpoint_spec e = { .addr = "10.0.2.1", .flags = EP_SIGNAL };
	struct program g = { .argv = { "year", LAB_ADDRESS, LAB_PORT },
			     .env = { NEW_YEAR },
			     .before = before,
			     .after = after };
	struct proc p;
	struct lab lab;
	char *errors;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	g.argv[3] = "/run/another.mark";
	program_start(&lab, &g, POOL, &p);
	cr_assert(WAIT_FOR(!access(g.argv[3], F_OK)));
	cr_assert_eq(endpoint_add(&lab.world.server, &e), 0);
	cr_assert(WAIT_FOR(joined_count(&lab.world.server) == 1));
	errors = proc_errors(&p);
	cr_assert_str_eq(errors, "", "%s", errors);
	free(errors);
	/* The other library was loaded. */
	cr_assert_eq(strstr(before ?: after, "faketime") != NULL,
		     proc_said(&p, "year 2033"));
	proc_end(&p);
	lab_close(&lab);
}

#define WITH_ANOTHER(name, before, after)    \
	Test(loading, name, TIMEOUT)         \
	{                                    \
		with_another(before, after); \
	}

WITH_ANOTHER(works_after_jemalloc, JEMALLOC, NULL)
WITH_ANOTHER(works_before_jemalloc, NULL, JEMALLOC)
WITH_ANOTHER(works_after_libfaketime, FAKETIME, NULL)
WITH_ANOTHER(works_before_libfaketime, NULL, FAKETIME)

#define WRAPPER "libsocket_wrapper.so"

static void need_wrapper(void)
{
	if (access("/usr/share/doc/libsocket-wrapper", F_OK) < 0)
		SKIP("socket_wrapper is not installed");
}

/* The wrapper's TCP never leaves the directory. */
static void wrapped(const char *before, const char *after)
{
	const struct program g = { .argv = { "count", "listen" },
				   .env = { "SOCKET_WRAPPER_DIR=/run/wrapped" },
				   .before = before,
				   .after = after };
	struct lab lab;
	char *text;

	lab_open(&lab);
	cr_assert_eq(mkdir("/run/wrapped", 0755), 0);
	same_as_native(&lab, &g, POOL, TCP);
	same_as_native(&lab, &g, NO_POOL, TCP);
	text = program_run(&lab, &g, POOL);
	cr_assert(strstr(text, "accepted 'x', child 0\n"), "%s", text);
	free(text);
	lab_close(&lab);
}

/* The wrapper calls libc directly, past our library: plain TCP. */
Test(loading, does_no_harm_after_socket_wrapper, TIMEOUT)
{
	const struct program g = { .argv = { "client", LAB_ADDRESS, LAB_PORT },
				   .before = WRAPPER };
	struct lab lab;

	need_wrapper();
	wrapped(WRAPPER, NULL);
	lab_open(&lab);
	same_as_native(&lab, &g, POOL, TCP);
	lab_close(&lab);
}

Test(loading, works_before_socket_wrapper, TIMEOUT)
{
	need_wrapper();
	with_another(NULL, WRAPPER);
	wrapped(NULL, WRAPPER);
}

/* Return: the path of the address sanitizer's runtime. */
static const char *asan_runtime(void)
{
	static char path[PATH_MAX];
	const char *cc = getenv("CC") ?: "cc"; /* perhaps "ccache gcc" */
	char command[PATH_MAX], *text;
	const char *argv[] = { "sh", "-c", command, NULL };

	snprintf(command, sizeof(command), "%s -print-file-name=%s.so", cc,
		 strstr(cc, "clang") ? "libclang_rt.asan-x86_64" : "libasan");
	text = output_of(argv, NULL);
	snprintf(path, sizeof(path), "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
	return path;
}

/* The leak checker traces the program, which sandboxes may refuse. */
#define ASAN_ENV "ASAN_OPTIONS=detect_leaks=0:exitcode=99"

Test(loading, works_after_the_address_sanitizer, TIMEOUT)
{
	struct program g = { .argv = { "client-asan", LAB_ADDRESS, LAB_PORT },
			     .env = { ASAN_ENV } };
	struct lab lab;

	lab_open(&lab);
	g.before = asan_runtime();
	same_as_native(&lab, &g, POOL, MPTCP);
	same_as_native(&lab, &g, NO_POOL, MPTCP);
	lab_close(&lab);
}

Test(loading, works_before_the_address_sanitizer, TIMEOUT)
{
	struct program g = { .argv = { "client-asan", LAB_ADDRESS, LAB_PORT },
			     .env = { ASAN_ENV ":verify_asan_link_order=0" } };
	struct lab lab;

	lab_open(&lab);
	same_as_native(&lab, &g, POOL, MPTCP);
	g.after = asan_runtime();
	same_as_native(&lab, &g, POOL, MPTCP);
	g.argv[0] = "client-asan-inside";
	g.after = NULL;
	same_as_native(&lab, &g, POOL, MPTCP);
	lab_close(&lab);
}
