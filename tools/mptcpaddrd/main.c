// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpaddrd: the path manager of programs that may not be their own
 *
 * The order here is what keeps it safe: everything that needs rights is opened, then the
 * rights go, and only then does anybody hear of us.
 */
#include "dispatch.h"
#include "loop.h"
#include "mptcpaddr/log.h"
#include "registration.h"
#include "restore.h"
#include "sandbox.h"
#include "sd_notify.h"
#include "setup.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_FOLDER "/run/mptcpaddr"

struct options {
	const char *config, *folder;
	bool userspace;
};

static _Noreturn void print_usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: mptcpaddrd [-u] [-c FILE] [-s FOLDER]\n"
		"  -u, --userspace     set net.mptcp.path_manager; put it back at the "
		"end\n"
		"  -c, --config FILE   in place of " POLICY_FILE "\n"
		"  -s, --state FOLDER  in place of " STATE_FOLDER "\n");
	exit(status);
}

static void read_options(int argc, char *argv[], struct options *ret_options)
{
	static const struct option names[] = {
		{ "userspace", no_argument, NULL, 'u' },
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*ret_options = (struct options){ POLICY_FILE, STATE_FOLDER, false };
	while ((c = getopt_long(argc, argv, "uc:s:h", names, NULL)) != -1) {
		switch (c) {
		case 'u':
			ret_options->userspace = true;
			break;
		case 'c':
			ret_options->config = optarg;
			break;
		case 's':
			ret_options->folder = optarg;
			break;
		case 'h':
			print_usage(0);
		default:
			print_usage(2);
		}
	}
	if (optind < argc)
		print_usage(2);
}

/* What was there before us: connections of programs, as the last broker knew them. */
static void restore_state(struct broker *b)
{
	int r;

	restore_clients(b);
	r = resync_clients(b);
	if (r < 0)
		log_warning("the kernel does not say what connections there are: %s",
			    strerror(-r));
	if (HASH_COUNT(b->conns))
		log_info("%u connections from before", HASH_COUNT(b->conns));
}

static struct broker *broker_new(const struct options *options)
{
	struct broker *b = calloc(1, sizeof(*b));
	struct pool_error why = { "" };

	if (!b)
		return NULL;
	b->config = options->config;
	b->pump.event_fd = b->listen_fd = b->netif_fd = b->diag_fd = b->signal_fd = -1;
	b->controls_fd = b->path_manager_fd = b->journal_fd = b->state_dir = -1;
	b->pump.send_command = dispatch_command;
	b->pump.ctx = b;
	if (broker_load_policy(b, &why) < 0) {
		log_error("%s", why.text);
		free(b);
		return NULL;
	}
	b->policy.userspace |= options->userspace;
	log_open(STDERR_FILENO, b->policy.log, "mptcpaddrd", getpid());
	return b;
}

/* The journal reads a line's priority from a prefix (sd-daemon(3)). */
static void open_broker_log(void)
{
	static const char *const journal[] = { "<3>", "<4>", "<6>", "<7>" };
	static const char *const plain[] = {
		"mptcpaddrd: error: ",
		"mptcpaddrd: warning: ",
		"mptcpaddrd: info: ",
		"mptcpaddrd: debug: ",
	};

	log_set_prefixes(getenv("JOURNAL_STREAM") ? journal : plain);
	log_open(STDERR_FILENO, LOG_LEVEL_INFO, "mptcpaddrd", getpid());
}

int main(int argc, char *argv[])
{
	struct options options;
	const char *what;
	struct broker *b;
	int r;

	read_options(argc, argv, &options);
	open_broker_log();
	if (geteuid() != 0) {
		log_error("must be started by root: programs trust no other broker");
		return 1;
	}
	b = broker_new(&options);
	if (!b || broker_open(b, options.folder) < 0)
		return 1;
	notify_open();
	r = sandbox_enter(&what);
	if (r < 0) {
		log_error("%s: %s", what, strerror(-r));
		return 1;
	}
	restore_state(b);
	r = registration_listen(b);
	if (r < 0) {
		log_error("listen: %s", strerror(-r));
		return 1;
	}
	log_info("serving programs of this network namespace");
	notify_state("READY=1\nSTATUS=Serving programs of this network namespace");
	r = broker_run(b);
	notify_state("STOPPING=1");
	broker_close(b);
	free(b);
	return r < 0;
}
