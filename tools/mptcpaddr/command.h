/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of mptcpaddr, one file each, and how they print
 */
#pragma once

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <unistd.h>

#define EXIT_USAGE 2

#define KEEPER_COMMAND "supervise-keeper" /* not for users, nor in --help */

/* A command gets its own name as argv[0], and returns the tool's exit status. */
int cmd_run(int argc, char *argv[]);
int cmd_keeper(int argc, char *argv[]);
int cmd_init(int argc, char *argv[]);
int cmd_check(int argc, char *argv[]);
int cmd_probe(int argc, char *argv[]);
int cmd_pool(int argc, char *argv[]); /* "endpoint" and "limits" */
int cmd_status(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_service(int argc, char *argv[]);
int cmd_enable(int argc, char *argv[]);
int cmd_disable(int argc, char *argv[]);

/*
 * command_option() - getopt_long() with this tool's messages; @letters with their ":"
 *
 * Return: the option; -1 after the last one; '?' after print_usage_error().
 */
int command_option(int argc, char *argv[], const char *letters,
		   const struct option *options);

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* print_usage_error() - print an error in the arguments. Return: EXIT_USAGE. */
PRINTF_LIKE(2, 3) int print_usage_error(const char *command, const char *fmt, ...);

/* print_error() - "mptcpaddr: ..." on stderr. Return: 1, an exit status. */
PRINTF_LIKE(1, 2) int print_error(const char *fmt, ...);

/*
 * require_pool_file() - take @file of an option --pool, which must be valid
 * @consequence: for the message if it is not: "the program is not started"
 *
 * Return: 0 with the absolute path; -1 after every error was printed on stderr.
 */
int require_pool_file(const char *file, const char *consequence, char ret_path[PATH_MAX]);

struct findings {
	enum {
		FOUND_BY_DOCTOR, /* on stdout, each remedy on a line of its own */
		FOUND_BY_RUN,	/* a warning on stderr: the program starts all the same */
		FOUND_BY_CHECK, /* on stdout, without remedies */
	} by;
	bool verbose;
	bool json;		  /* of FOUND_BY_DOCTOR: objects, see report_begin() */
	bool brief;		  /* the first remedy only */
	unsigned int problems, n; /* n: printed */
	const char *part;	  /* of the machine that is looked at; NULL: "machine" */
	const char *title;	  /* in front of its next finding; NULL: none */
};

/*
 * report_part() - findings from here on are about @part, a word of doctor --json
 * @title: a line in front of the first one, or NULL; must stay valid
 */
void report_part(struct findings *findings, const char *part, const char *title);

/* print_json_text() - "NAME":"TEXT" */
void print_json_text(const char *name, const char *text);

/*
 * report_problem() - print a problem and its remedies
 *
 * Remedies are further lines of @fmt: "type: COMMAND", "root: COMMAND" (sudo is put in
 * front of it where needed) or "do: ADVICE".
 */
PRINTF_LIKE(2, 3)
void report_problem(struct findings *findings, const char *fmt, ...);

/* report_ok() - print what works, if verbose. */
PRINTF_LIKE(2, 3)
void report_ok(struct findings *findings, const char *fmt, ...);
