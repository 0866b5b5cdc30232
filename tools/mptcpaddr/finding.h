/* SPDX-License-Identifier: MIT */
/*
 * finding.h - how the commands print what they found
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

/* In front of a command that only root may run. */
#define AS_ROOT (geteuid() ? "sudo " : "")

struct findings {
	bool verbose;
	bool warnings; /* of a program that starts all the same: a line each on stderr */
	unsigned int problems;
};

/*
 * report_problem() - print a problem and its remedies
 *
 * @remedies: lines "type: COMMAND", "root: COMMAND" (sudo is put in front of it where
 * needed) or "do: ADVICE".
 */
__attribute__((format(printf, 3, 4))) void report_problem(struct findings *findings,
							  const char *remedies,
							  const char *fmt, ...);

/* report_ok() - print what works, if verbose. */
__attribute__((format(printf, 2, 3))) void report_ok(const struct findings *findings,
						     const char *fmt, ...);

/* remedy_text() - format @remedies for report_problem(). Return: a static buffer. */
__attribute__((format(printf, 1, 2))) const char *remedy_text(const char *fmt, ...);

/* print_error() - "mptcpaddr: ..." on stderr. Return: 1, an exit status. */
__attribute__((format(printf, 1, 2))) int print_error(const char *fmt, ...);
