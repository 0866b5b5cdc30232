/* SPDX-License-Identifier: MIT */
/*
 * finding.h - what the launcher says before a program runs, one line each, on stderr
 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* In front of a command to type that wants root. */
#define AS_ROOT (geteuid() ? "sudo " : "")

/*
 * A path manager of the program's own, for a user who may become root. sudo sets HOME,
 * and the tool may be in no folder of PATH: %s is program_invocation_name.
 */
#define RUN_WITH_RIGHTS                                                         \
	"sudo setpriv --reuid \"$(id -u)\" --regid \"$(id -g)\" --init-groups " \
	"--inh-caps +net_admin --ambient-caps +net_admin env HOME=\"$HOME\" %s run ..."

#define say(...) say_line("", __VA_ARGS__)
/* Something that will not work, in plain words, and what to do about it. */
#define warn(...) say_line("warning: ", __VA_ARGS__)

#define say_line(kind, ...)                        \
	do {                                       \
		fputs("mptcpaddr: " kind, stderr); \
		fprintf(stderr, __VA_ARGS__);      \
		fputc('\n', stderr);               \
	} while (0)
