// SPDX-License-Identifier: MIT
/*
 * log.c - what a line of the log may contain
 */
#include "mptcpaddr/log.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* The line that "%s" of @text gives, without its head and newline. */
static void is_logged_as(const char *text, const char *expected)
{
	struct log_target to = { 0 };
	char line[256] = "";
	int fds[2];
	ssize_t n;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	log_target_open(&to, fds[1], LOG_LEVEL_INFO, "x", 1);
	log_target_print(&to, LOG_LEVEL_INFO, "%s", text);
	n = read(fds[0], line, sizeof(line) - 1);
	cr_assert_gt(n, 0);
	cr_assert_eq(line[n - 1], '\n');
	line[n - 1] = '\0';
	cr_expect_str_eq(line + strlen("mptcpaddr: x[1]: info: "), expected);
	close(fds[0]);
	close(fds[1]);
}

Test(log, no_control_character_reaches_the_terminal)
{
	is_logged_as("a\x1b[2J\n\tb\x7f", "a?[2J??b?");
	is_logged_as("a\xc2\x9b"
		     "2J\xc2\x85",
		     "a??2J??"); /* CSI and NEL in UTF-8 */
	is_logged_as("\x9b"
		     "2J",
		     "?2J"); /* to a terminal without UTF-8 */
	is_logged_as("\xc3\xa9\x9b", "\xc3\xa9?");
	is_logged_as("\xc1\x9b\xc0\x9b", "????"); /* not UTF-8 */
	is_logged_as("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82 \xc2\xa0",
		     "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82 \xc2\xa0");
}
