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

#define TARGET_OPTIONS                                                     \
	"\t  --pid PID         of that program, where there are several\n" \
	"\t  --program NAME    likewise\n"

static const struct command {
	const char *name, *arguments, *summary;
	int (*run)(int argc, char *argv[]);
	const char *options; /* a line each; NULL: none to explain */
} commands[] = {
	{ "run", "[-v] [--pool FILE] [--backend B] [--] PROGRAM [ARGUMENT...]",
	  "run PROGRAM with a local address for each path", cmd_run,
	  "\t  -v, --verbose     say which program, pool file and library it is\n"
	  "\t  -p, --pool FILE   in place of the pool file that PROGRAM would find\n"
	  "\t  -b, --backend B   broker, direct (a thread in PROGRAM), none (no "
	  "pool)\n" },
	{ "check", "[FILE...]", "tell every error of pool files", cmd_check, NULL },
	{ "doctor", "[-v]", "tell what hinders Multipath TCP here, and what to do",
	  cmd_doctor, "\t  -v, --verbose     tell what is well, too\n" },
	{ "endpoint", "[show|add|del|change|flush] [WORDS...] [--pid P|--program N]",
	  "show or change the pool of a running program", cmd_endpoint, TARGET_OPTIONS },
	{ "limits", "[show|[set] subflows N add_addr_accepted N] [--pid P|--program N]",
	  "show or change its limits", cmd_limits, TARGET_OPTIONS },
	{ "enable", "[--pool FILE] [--root FOLDER] UNIT",
	  "run a systemd service under the library", cmd_enable,
	  "\t  --pool FILE       in place of the pool file that it would find\n"
	  "\t  --root FOLDER     of a system that is not running: its units and "
	  "files\n" },
	{ "disable", "[--root FOLDER] UNIT", "run it as before", cmd_disable,
	  "\t  --root FOLDER     of a system that is not running\n" },
};

static void show_command(FILE *to, const struct command *command)
{
	fprintf(to, "  mptcpaddr %s %s\n\t%s\n%s", command->name, command->arguments,
		command->summary, command->options ?: "");
}

static void show_usage(FILE *to)
{
	size_t i;

	fputs("Usage:\n", to);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		show_command(to, &commands[i]);
	fputs("  mptcpaddr COMMAND --help\n  mptcpaddr --help | --version\n", to);
}

int print_usage_error(const char *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mptcpaddr %s: ", command);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'mptcpaddr --help'.\n", stderr);
	return EXIT_USAGE;
}

int command_option(int argc, char *argv[], const char *letters,
		   const struct option *options)
{
	char spec[16];
	int c;

	opterr = 0;
	/* "+" must come first, ":" after it. */
	snprintf(spec, sizeof(spec), "%s:%s", *letters == '+' ? "+" : "",
		 letters + (*letters == '+'));
	c = getopt_long(argc, argv, spec, options, NULL);
	if (c != '?' && c != ':')
		return c;
	print_usage_error(argv[0], c == ':' ? "%s requires a value" : "unknown option %s",
			  argv[optind - 1]);
	return '?';
}

int main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		if (argc != 3 || strcmp(argv[2], "--help") != 0)
			return commands[i].run(argc - 1, argv + 1);
		fputs("Usage:\n", stdout);
		show_command(stdout, &commands[i]);
		return fflush(stdout) ? 1 : 0;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		show_usage(stdout);
		return fflush(stdout) ? 1 : 0;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		return puts("mptcpaddr " VERSION) < 0 || fflush(stdout) ? 1 : 0;
	if (*name)
		fprintf(stderr, "mptcpaddr: unknown command \"%s\"\n", name);
	show_usage(stderr);
	return EXIT_USAGE;
}
