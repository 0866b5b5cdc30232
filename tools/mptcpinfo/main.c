// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpinfo: the MPTCP connections of this network namespace
 */
#include "tools/mptcpinfo/monitor/monitor.h"
#include "tools/mptcpinfo/watch/watch.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE     2
#define OPT_PROMETHEUS 256
#define OPT_REPORT     257

static const char help[] =
	"Usage: mptcpinfo [OPTIONS]\n"
	"       mptcpinfo [OPTIONS] run [--] PROGRAM [ARGUMENT...]\n"
	"Show the MPTCP connections of this network namespace: the traffic of each\n"
	"subflow, the path manager, and why an address is not joined.\n"
	"\n"
	"Which connections:\n"
	"  -p, --process PID|NAME   those of this process or program\n"
	"  -t, --token TOKEN        this one, as ss prints it, or decimal\n"
	"  -r, --remote ADDRESS[/LEN][:PORT]\n"
	"                           those with a subflow to there; IPv6 with a port is\n"
	"                           [ADDRESS]:PORT or [ADDRESS]/LEN:PORT\n"
	"How they are shown:\n"
	"  -l, --long               also congestion window, retransmissions, delivery\n"
	"                           rate and share of each subflow\n"
	"  -j, --json               one JSON document\n"
	"      --prometheus         Prometheus' text format\n"
	"  -c, --counters           the path managers' counters; also with --json\n"
	"  -w, --watch              live; with --json, one document per line\n"
	"  -i, --interval SECONDS   time between two updates of --watch (1)\n"
	"  -e, --events             one line per event, as it happens\n"
	"  run [OPTIONS] PROGRAM    run it; when it exits, show the traffic of its\n"
	"                           paths; with -l also the table, with -c counters\n"
	"      --report FILE.html   with run: also write a page with charts\n"
	"\n"
	"  -h, --help               this text\n"
	"  -V, --version            the version of mptcpinfo\n";

static const struct option long_options[] = {
	{ "process", required_argument, NULL, 'p' },
	{ "token", required_argument, NULL, 't' },
	{ "remote", required_argument, NULL, 'r' },
	{ "long", no_argument, NULL, 'l' },
	{ "json", no_argument, NULL, 'j' },
	{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
	{ "counters", no_argument, NULL, 'c' },
	{ "watch", no_argument, NULL, 'w' },
	{ "interval", required_argument, NULL, 'i' },
	{ "events", no_argument, NULL, 'e' },
	{ "report", required_argument, NULL, OPT_REPORT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static _Noreturn void die_usage(const char *text, const char *what)
{
	if (text)
		fprintf(stderr, "mptcpinfo: %s: %s\n", text, what);
	fputs("Try 'mptcpinfo --help'.\n", stderr);
	exit(EXIT_USAGE);
}

static _Noreturn void print_and_exit(const char *text)
{
	exit(fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS
							     : EXIT_FAILURE);
}

static unsigned int parse_interval(const char *text)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end || !(s >= 0.05 && s <= 3600)) /* nor NaN */
		die_usage(text, "not a number of seconds from 0.05 to 3600");
	return (unsigned int)(s * 1000 + 0.5);
}

static void set_option(struct options *o, int c)
{
	switch (c) {
	case 'p':
		o->filter.process = optarg;
		break;
	case 't':
		if (token_parse(optarg, o->filter.tokens) < 0)
			die_usage(optarg, "not a token");
		o->filter.has_token = true;
		break;
	case 'r':
		if (remote_parse(optarg, &o->filter.remote) < 0)
			die_usage(optarg, "not ADDRESS[/LEN][:PORT]");
		o->filter.has_remote = true;
		break;
	case 'l':
		o->wide = true;
		break;
	case 'j':
		o->json = true;
		break;
	case OPT_PROMETHEUS:
		o->prometheus = true;
		break;
	case 'c':
		o->counters = true;
		break;
	case 'w':
		o->watch = true;
		break;
	case 'i':
		o->interval_ms = parse_interval(optarg);
		break;
	case 'e':
		o->events = true;
		break;
	case OPT_REPORT:
		o->report = optarg;
		break;
	case 'h':
		print_and_exit(help);
	case 'V':
		print_and_exit("mptcpinfo " MPTCPADDR_VERSION "\n");
	default: /* getopt has printed the error */
		die_usage(NULL, NULL);
	}
}

/* Useless combinations are refused, not ignored. */
static void check_options(const struct options *o, bool running)
{
	if (o->json && o->prometheus)
		die_usage("--json", "not together with --prometheus");
	if (o->prometheus && (o->counters || o->watch || o->events))
		die_usage("--prometheus",
			  "takes no other format; it includes the counters");
	if (o->wide && (o->json || o->prometheus || o->watch || o->events ||
			(o->counters && !running)))
		die_usage("--long", "only for the table");
	if (o->report && !running)
		die_usage("--report", "only with run");
	if (o->events && (o->watch || o->counters))
		die_usage("--events", "not together with --watch or --counters");
	if (o->interval_ms && !o->watch)
		die_usage("--interval", "only with --watch");
	if (running && (o->watch || o->events))
		die_usage("run", "not together with --watch or --events");
}

/* Up to the first other argument */
static void parse_options(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "+p:t:r:ljcwi:ehV", long_options, NULL)) !=
	       -1)
		set_option(o, c);
}

static struct options parse_command_line(int argc, char **argv, bool *ret_running)
{
	const char *no_color = getenv("NO_COLOR");
	struct options o = { 0 };
	bool running;

	parse_options(argc, argv, &o);
	running = optind < argc && strcmp(argv[optind], "run") == 0;
	if (running) {
		optind++;
		parse_options(argc, argv, &o);
	}
	check_options(&o, running);
	if (!o.interval_ms)
		o.interval_ms = 1000;
	o.colour = isatty(STDOUT_FILENO) && !(no_color && *no_color);
	*ret_running = running;
	return o;
}

static int show_once(const struct options *o)
{
	struct snapshot snap = { 0 };
	int r = collect_snapshot(&o->filter, &snap), status;

	snapshot_report(&snap, r);
	status = stdout_status(write_view(o, &snap, false, stdout));
	snapshot_free(&snap);
	return r < 0 ? EXIT_FAILURE : status;
}

int main(int argc, char **argv)
{
	bool running;
	struct options o = parse_command_line(argc, argv, &running);
	char **rest = argv + optind;

	if (running && !*rest)
		die_usage("run", "which program?");
	if (running)
		return run_main(&o, rest);
	if (*rest)
		die_usage(*rest, "unexpected argument (a program: -p NAME, or run NAME)");
	if (o.events)
		return events_main(&o);
	if (o.watch)
		return watch_main(&o);
	return show_once(&o);
}
