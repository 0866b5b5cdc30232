// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpinfo: the MPTCP connections of this network namespace
 */
#include "collect.h"
#include "model.h"
#include "text.h"
#include "writers.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1"

enum exit_status {
	EXIT_OK,
	EXIT_FAILED,
	EXIT_USAGE,
};

struct options {
	struct filter filter;
	bool json;
};

static const char help[] =
	"Usage: mptcpinfo [--json] [-p PID|NAME] [-t TOKEN]\n"
	"Shows the MPTCP connections of this network namespace and their subflows.\n"
	"\n"
	"  -j, --json              the same as one JSON document\n"
	"  -p, --process PID|NAME  only the connections of this process or program\n"
	"  -t, --token TOKEN       only this connection (0x... or decimal)\n"
	"  -h, --help              this text\n"
	"  -V, --version           the version of mptcpinfo\n";

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "process", required_argument, NULL, 'p' },
	{ "token", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static _Noreturn void usage_error(const char *text, const char *what)
{
	if (text)
		fprintf(stderr, "mptcpinfo: %s: %s\n", text, what);
	fputs("Try 'mptcpinfo --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static _Noreturn void say_and_exit(const char *text)
{
	exit(fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_OK : EXIT_FAILED);
}

static struct options parse_options(int argc, char **argv)
{
	struct options o = { 0 };
	int c;

	while ((c = getopt_long(argc, argv, "jp:t:hV", long_options, NULL)) != -1) {
		switch (c) {
		case 'j':
			o.json = true;
			break;
		case 'p':
			o.filter.process = optarg;
			break;
		case 't':
			if (token_parse(optarg, &o.filter.token) < 0)
				usage_error(optarg, "not a token");
			o.filter.has_token = true;
			break;
		case 'h':
			say_and_exit(help);
		case 'V':
			say_and_exit("mptcpinfo " VERSION "\n");
		default: /* getopt has said what is wrong */
			usage_error(NULL, NULL);
		}
	}
	if (optind < argc)
		usage_error(argv[optind], "unexpected argument");
	return o;
}

int main(int argc, char **argv)
{
	struct options o = parse_options(argc, argv);
	struct snapshot snap = { 0 };
	size_t i;
	int r, w;

	r = collect(&o.filter, &snap);
	for (i = 0; i < snap.n_notes; i++)
		fprintf(stderr, "mptcpinfo: %s\n", snap.notes[i]);
	if (r == -ENOENT)
		fputs("mptcpinfo: this kernel cannot list MPTCP connections "
		      "(module mptcp_diag)\n",
		      stderr);
	else if (r < 0)
		fprintf(stderr, "mptcpinfo: MPTCP connections: %s\n", strerror(-r));

	w = o.json ? write_json(&snap, stdout) : write_table(&snap, stdout);
	if (w < 0)
		fprintf(stderr, "mptcpinfo: output: %s\n", strerror(-w));
	snapshot_free(&snap);
	return r < 0 || w < 0 ? EXIT_FAILED : EXIT_OK;
}
