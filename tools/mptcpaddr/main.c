// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpaddr: run programs under the library, and look after what it needs
 *
 * A table of commands, one file each; this one only finds the command.
 */
#include "command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VERSION "0.2"

static const struct command {
	const char *name, *arguments, *summary;
	int (*run)(int argc, char *argv[]);
} commands[] = {
	{ "run", "[-v] [--pool FILE] [--backend B] [--] PROGRAM [ARGUMENT...]",
	  "run PROGRAM with a local address for each path", cmd_run },
	{ "check", "[FILE...]", "tell every error of pool files", cmd_check },
	{ "doctor", "[-v]", "tell what hinders Multipath TCP here, and what to do",
	  cmd_doctor },
	{ "endpoint", "[show|add|del|change|flush] [WORDS...] [--pid P|--program N]",
	  "show or change the pool of a running program", cmd_endpoint },
	{ "limits", "[show|[set] subflows N add_addr_accepted N] [--pid P|--program N]",
	  "show or change its limits", cmd_limits },
	{ "enable", "[--pool FILE] [--root FOLDER] UNIT",
	  "run a systemd service under the library", cmd_enable },
	{ "disable", "[--root FOLDER] UNIT", "run it as before", cmd_disable },
};

static void show_usage(FILE *to)
{
	size_t i;

	fputs("Usage:\n", to);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(to, "  mptcpaddr %s %s\n\t%s\n", commands[i].name,
			commands[i].arguments, commands[i].summary);
	fputs("  mptcpaddr --help | --version\n", to);
}

int usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mptcpaddr %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'mptcpaddr --help'.\n", stderr);
	return EXIT_USAGE;
}

int main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run(argc - 1, argv + 1);
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		show_usage(stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return puts("mptcpaddr " VERSION) < 0 || fflush(stdout) ? 1 : 0;
	if (*name)
		fprintf(stderr, "mptcpaddr: there is no command \"%s\"\n", name);
	show_usage(stderr);
	return EXIT_USAGE;
}
