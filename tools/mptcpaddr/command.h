/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of mptcpaddr: one file each, listed in main.c
 */
#pragma once

#include <getopt.h>

#define EXIT_USAGE 2

/* A command gets its own name as argv[0], and returns the tool's exit status. */
int cmd_run(int argc, char *argv[]);
int cmd_check(int argc, char *argv[]);
int cmd_endpoint(int argc, char *argv[]);
int cmd_limits(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_enable(int argc, char *argv[]);
int cmd_disable(int argc, char *argv[]);

/*
 * command_option() - getopt_long() with this tool's messages
 *
 * Return: the option; -1 after the last one; '?' after print_usage_error().
 */
int command_option(int argc, char *argv[], const char *letters,
		   const struct option *options);

/* print_usage_error() - print an error in the arguments. Return: EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int print_usage_error(const char *command,
							    const char *fmt, ...);
