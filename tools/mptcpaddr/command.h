/* SPDX-License-Identifier: MIT */
/*
 * command.h - the commands of mptcpaddr: one file each, listed in main.c
 */
#pragma once

#define EXIT_USAGE 2

/*
 * A command gets its own name as argv[0]. What it returns is the exit status of the tool.
 */
int cmd_run(int argc, char *argv[]);
int cmd_check(int argc, char *argv[]);
int cmd_endpoint(int argc, char *argv[]);
int cmd_limits(int argc, char *argv[]);
int cmd_doctor(int argc, char *argv[]);
int cmd_enable(int argc, char *argv[]);
int cmd_disable(int argc, char *argv[]);

/* usage_error() - say what is wrong with the arguments. Return: EXIT_USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *command,
						      const char *fmt, ...);
