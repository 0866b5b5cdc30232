/* SPDX-License-Identifier: MIT */
/*
 * say.h - what the launcher says before a program runs, one line each, on stderr
 */
#ifndef MPTCPADDR_SAY_H
#define MPTCPADDR_SAY_H

#include <stdio.h>

#define say(...) say_line("", __VA_ARGS__)
/* Something that will not work, in plain words, and what to do about it. */
#define warn(...) say_line("warning: ", __VA_ARGS__)

#define say_line(kind, ...)                        \
	do {                                       \
		fputs("mptcpaddr: " kind, stderr); \
		fprintf(stderr, __VA_ARGS__);      \
		fputc('\n', stderr);               \
	} while (0)

#endif
