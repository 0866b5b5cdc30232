/* SPDX-License-Identifier: MIT */
/*
 * criterion.h - what the unit tests use of Criterion, where Debian has no Criterion
 *
 * For other architectures and for musl: its sandbox needs code for each architecture.
 * runner.c runs each test in a process of its own and prints Criterion's summary.
 */
#pragma once
#pragma GCC system_header /* no warnings about the comparisons */

#include <stdbool.h>
#include <string.h>

struct runner_test {
	const char *suite, *name;
	void (*run)(void);
	double timeout; /* seconds, natively; 0: the default */
};

/* runner_fail() - report it; if @fatal, the test ends. */
__attribute__((format(printf, 5, 6))) void runner_fail(bool fatal, const char *file,
						       int line, const char *what,
						       const char *format, ...);
/* runner_skip() - end the test as skipped. */
__attribute__((noreturn)) void runner_skip(const char *why);

/* An array of pointers, which the linker collects. */
#define Test(s, n, ...)                                                           \
	static void s##_##n##_run(void);                                          \
	static const struct runner_test s##_##n##_test = {                        \
		.suite = #s, .name = #n, .run = s##_##n##_run, __VA_ARGS__        \
	};                                                                        \
	static const struct runner_test *const s##_##n##_entry                    \
		__attribute__((section("runner_tests"), used)) = &s##_##n##_test; \
	static void s##_##n##_run(void)

#define RUNNER_CHECK(fatal, condition, what, ...) \
	((condition) ? (void)0                    \
		     : runner_fail(fatal, __FILE__, __LINE__, what, " " __VA_ARGS__))
#define RUNNER_OP(fatal, a, op, b, ...) \
	RUNNER_CHECK(fatal, (a)op(b), #a " " #op " " #b, __VA_ARGS__)

#define cr_assert(condition, ...) RUNNER_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) \
	RUNNER_CHECK(true, !(condition), "!" #condition, __VA_ARGS__)
#define cr_assert_null(a, ...)	   RUNNER_OP(true, a, ==, NULL, __VA_ARGS__)
#define cr_assert_not_null(a, ...) RUNNER_OP(true, a, !=, NULL, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)	   RUNNER_OP(true, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)   RUNNER_OP(true, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)	   RUNNER_OP(true, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)   RUNNER_OP(true, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)	   RUNNER_OP(true, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)   RUNNER_OP(true, a, >=, b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) \
	RUNNER_CHECK(true, !strcmp(a, b), #a " == " #b, __VA_ARGS__)
#define cr_assert_fail(...)	  RUNNER_CHECK(true, false, "fail", __VA_ARGS__)
#define cr_expect(condition, ...) RUNNER_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_expect_eq(a, b, ...)	  RUNNER_OP(false, a, ==, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)  RUNNER_OP(false, a, !=, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)	  RUNNER_OP(false, a, <, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)	  RUNNER_OP(false, a, >, b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) \
	RUNNER_CHECK(false, !strcmp(a, b), #a " == " #b, __VA_ARGS__)
#define cr_skip_test(...) runner_skip("" __VA_ARGS__)
