// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpaddr: run programs under the library, and check what it needs
 *
 * A table of commands, one file each; main() only finds the command.
 */
#include "command.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define TARGET_OPTIONS                                                     \
	"\t  --pid PID         of this process, if several programs run\n" \
	"\t  --program NAME    of the program of this name\n"
#define ROOT_OPTION "\t  --root DIRECTORY  of a system that is not running\n"

static const struct command {
	const char *name, *arguments, *summary;
	int (*run)(int argc, char *argv[]);
	const char *options; /* a line each */
} commands[] = {
	{ "run",
	  "[-v] [--pool FILE] [--backend B] [--[no-]supervise] [--] PROGRAM "
	  "[ARGUMENT...]",
	  "run PROGRAM with one local address per subflow", cmd_run,
	  "\t  -v, --verbose     show executable, pool file, library and its log\n"
	  "\t  -p, --pool FILE   use this pool file\n"
	  "\t  -b, --backend B   broker, direct (a thread in PROGRAM), none (no "
	  "pool)\n"
	  "\t  --supervise       also serve static programs that PROGRAM starts\n"
	  "\t  --no-supervise    not even if PROGRAM is one, or a Go program\n" },
	{ "init", "[--stdout] [PROGRAM]", "write a pool file with this machine's uplinks",
	  cmd_init, "\t  --stdout          print it instead\n" },
	{ "check", "[--broker] [FILE|PROGRAM...]", "list all errors of pool files",
	  cmd_check,
	  "\t  --broker          of the broker's configuration, broker.conf\n" },
	{ "probe", "[--json] [--pool FILE|--program NAME] [--wait SECONDS] HOST[:PORT]",
	  "find out what a server does with MPTCP, over each uplink of a pool", cmd_probe,
	  "\t  -j, --json        one JSON document\n"
	  "\t  -p, --pool FILE   with this pool\n"
	  "\t  --program NAME    with the pool of this program\n"
	  "\t  --wait SECONDS    for announced addresses, 2 by default\n" },
	{ "status", "[--json]",
	  "show uplinks, programs, the last problems, and what to do next", cmd_status,
	  "\t  -j, --json        one JSON document\n" },
	{ "doctor", "[-v] [--json] [--since TIME]",
	  "find problems with Multipath TCP, and their remedies", cmd_doctor,
	  "\t  -v, --verbose     list passed checks too\n"
	  "\t  -j, --json        one JSON document\n"
	  "\t  --since TIME      count for TIME from now on (10s, 2m)\n" },
	{ "endpoint", "[show|add|delete|change|flush] [WORDS...] [--pid P|--program N]",
	  "show or change the pool of a running program", cmd_pool, TARGET_OPTIONS },
	{ "limits", "[show|[set] subflows N add_addr_accepted N] [--pid P|--program N]",
	  "show or change the limits of a running program", cmd_pool, TARGET_OPTIONS },
	{ "service", "add|remove [--pool FILE] [--root DIRECTORY] UNIT",
	  "run a systemd service under the library, or no longer", cmd_service,
	  "\t  --pool FILE       use this pool file (add)\n" ROOT_OPTION },
	{ "enable", "[--pool FILE] [--root DIRECTORY] UNIT", "the same as service add",
	  cmd_enable, "" },
	{ "disable", "[--root DIRECTORY] UNIT", "the same as service remove", cmd_disable,
	  "" },
};

static void show_command(FILE *to, const struct command *command)
{
	fprintf(to, "  mptcpaddr %s %s\n\t%s\n%s", command->name, command->arguments,
		command->summary, command->options);
}

static void show_usage(FILE *to)
{
	size_t i;

	fputs("Usage:\n", to);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		show_command(to, &commands[i]);
	fputs("  mptcpaddr COMMAND --help\n  mptcpaddr --help | --version\n", to);
}

static int unknown_command(const char *name)
{
	size_t i;

	if (!strcmp(name, "monitor")) {
		fputs("mptcpaddr: no command \"monitor\"; type: mptcpinfo --events\n",
		      stderr);
		return EXIT_USAGE;
	}
	fprintf(stderr, "mptcpaddr: unknown command \"%s\"; commands:", name);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(stderr, "%s %s", i ? "," : "", commands[i].name);
	fprintf(stderr, "\nTo run the program \"%s\", type: mptcpaddr run %s\n", name,
		name);
	return EXIT_USAGE;
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
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, letters, options, NULL);
	if (c != '?' && c != ':')
		return c;
	print_usage_error(argv[0], c == ':' ? "%s requires a value" : "unknown option %s",
			  argv[optind - 1]);
	return '?';
}

static bool is_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

int main(int argc, char *argv[])
{
	const struct command *command = commands;
	const struct command *end = commands + sizeof(commands) / sizeof(*commands);
	const char *name = argc > 1 ? argv[1] : "";

	if (!strcmp(name, KEEPER_COMMAND))
		return cmd_keeper(argc - 1, argv + 1);
	while (command < end && strcmp(command->name, name) != 0)
		command++;
	if (command < end && (argc != 3 || !is_help(argv[2])))
		return command->run(argc - 1, argv + 1);
	if (command < end) {
		puts("Usage:");
		show_command(stdout, command);
	} else if (is_help(name)) {
		show_usage(stdout);
	} else if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("mptcpaddr " MPTCPADDR_VERSION);
	} else if (*name) {
		return unknown_command(name);
	} else {
		show_usage(stderr);
		return EXIT_USAGE;
	}
	return fflush(stdout) || ferror(stdout);
}
