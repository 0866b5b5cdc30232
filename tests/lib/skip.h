/* SPDX-License-Identifier: MIT */
/*
 * skip.h - skip a test that cannot run here, with the reason; in CI it fails
 */
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"

#define SKIP(...)                                                                  \
	do {                                                                       \
		const char *ci_ = getenv("CI");                                    \
		if (ci_ && !strcmp(ci_, "true"))                                   \
			cr_assert_fail(                                            \
				"skipped, which CI does not allow: " __VA_ARGS__); \
		cr_skip_test(__VA_ARGS__);                                         \
	} while (0)

#define NEED_SANDBOX()                                            \
	do {                                                      \
		if (!sandbox_entered())                           \
			SKIP("user namespaces are refused here"); \
		sandbox_own_run();                                \
	} while (0)
