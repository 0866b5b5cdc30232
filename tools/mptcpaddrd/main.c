// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpaddrd, the path manager of programs without CAP_NET_ADMIN
 *
 * The order in main() keeps it safe: open everything that needs rights, give up the
 * rights, and only then listen to programs.
 */
#include "broker.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/netlink.h"
#include "sandbox.h"
#include "sd_notify.h"
#include "shim/preload/subscribe.h"
#include "tools/common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_DIR "/run/mptcpaddr"

struct options {
	const char *config, *dir;
	bool userspace;
};

static _Noreturn void print_usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: mptcpaddrd [-u] [-c FILE] [-s DIR]\n"
		"  -u, --userspace     set net.mptcp.path_manager, and restore it at "
		"exit\n"
		"  -c, --config FILE   instead of " POLICY_FILE "\n"
		"  -s, --state DIR     instead of " STATE_DIR "\n");
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

	*ret_options = (struct options){ POLICY_FILE, STATE_DIR, false };
	while ((c = getopt_long(argc, argv, "uc:s:h", names, NULL)) != -1) {
		switch (c) {
		case 'u':
			ret_options->userspace = true;
			break;
		case 'c':
			ret_options->config = optarg;
			break;
		case 's':
			ret_options->dir = optarg;
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

#define SYSCTLS "/proc/sys/net/mptcp/"

/* The previous value of net.mptcp.path_manager, and the name of the file that has it. */
static char saved_manager[16], saved_name[64];

/* Read the first word of a sysctl or file. */
static bool read_first_word(int fd, char *ret_word, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, ret_word, size - 1, 0);

	if (n <= 0)
		return false;
	ret_word[n] = '\0';
	ret_word[strcspn(ret_word, " \n")] = '\0';
	return true;
}

/* "1" in pm_type, before Linux 6.15. */
static bool is_userspace(const char *word)
{
	return !strcmp(word, "userspace") || !strcmp(word, "1");
}

/* A broker that was killed could not restore the value: the file has it. */
static void save_path_manager(struct broker *b, const char *now)
{
	int fd = openat(b->state_dir, saved_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	strcpy(saved_manager, now);
	if (fd < 0)
		return;
	if ((!is_userspace(now) ||
	     !read_first_word(fd, saved_manager, sizeof(saved_manager))) &&
	    (ftruncate(fd, 0) < 0 || write(fd, now, strlen(now)) < 0))
		log_warning("cannot save the value of net.mptcp.path_manager");
	close(fd);
}

static void take_path_manager(struct broker *b)
{
	const bool wanted = b->policy.userspace;
	const char *word = "userspace";
	char now[16] = "";

	b->path_manager_fd =
		open(SYSCTLS "path_manager", (wanted ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (b->path_manager_fd < 0 && errno == ENOENT) {
		b->path_manager_fd =
			open(SYSCTLS "pm_type", (wanted ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		word = "1";
	}
	if (!read_first_word(b->path_manager_fd, now, sizeof(now))) {
		log_warning("cannot read net.mptcp.path_manager: %s", strerror(errno));
		return;
	}
	if (!wanted) {
		if (!is_userspace(now))
			log_warning(
				"the path manager is the kernel's "
				"(net.mptcp.path_manager): pools have no effect until "
				"it is \"userspace\"; see option -u");
		return;
	}
	save_path_manager(b, now);
	if (!is_userspace(now) && pwrite(b->path_manager_fd, word, strlen(word), 0) < 0)
		log_error("cannot set net.mptcp.path_manager: %s", strerror(errno));
	else if (!is_userspace(now))
		log_info("changed net.mptcp.path_manager from \"%s\" to \"%s\"", now,
			 word);
}

/* Unless another program has changed it meanwhile. */
static void restore_path_manager(struct broker *b)
{
	char now[16];

	if (!b->policy.userspace || !saved_manager[0])
		return;
	if (!is_userspace(saved_manager) &&
	    read_first_word(b->path_manager_fd, now, sizeof(now)) && is_userspace(now)) {
		if (lseek(b->path_manager_fd, 0, SEEK_SET) < 0 ||
		    write(b->path_manager_fd, saved_manager, strlen(saved_manager)) < 0)
			log_error("cannot restore net.mptcp.path_manager: %s",
				  strerror(errno));
		else
			log_info("restored net.mptcp.path_manager to \"%s\"",
				 saved_manager);
	}
	if (b->state_dir >= 0)
		unlinkat(b->state_dir, saved_name, 0);
}

/* Events from here on are not lost. Return: what failed; NULL: nothing. */
static const char *open_kernel(struct broker *b, int *ret_error)
{
	*ret_error = subscribe_events(&b->pump.event_fd, &b->pump.family_id);
	if (*ret_error < 0)
		return *ret_error == -ENOENT ? "this kernel has no MPTCP path manager"
					     : "path manager events";
	event_filter_set_useful(b->pump.event_fd);
	b->command_fd = *ret_error = pm_command_open();
	if (*ret_error < 0)
		return "path manager commands";
	b->diag_fd = *ret_error = diag_open();
	if (*ret_error < 0)
		return "sock_diag";
	b->rtnl_fd = *ret_error = rtnl_watch();
	if (*ret_error < 0)
		return "interfaces";
	rtnl_read_table(&b->table);
	return NULL;
}

static int broker_open(struct broker *b, const char *dir)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, 0 };
	struct stat st;
	const char *what;
	int r;

	r = registration_open(b);
	if (r < 0) {
		log_error(r == -EADDRINUSE
				  ? "another broker is running in this network namespace"
				  : "cannot open the registration socket: %s",
			  strerror(-r));
		return r;
	}
	what = open_kernel(b, &r);
	if (what) {
		log_error("%s: %s", what, strerror(-r));
		return r;
	}
	signal(SIGPIPE, SIG_IGN);
	b->signal_fd = signals_open(signals, NULL);
	b->controls_fd = epoll_create1(EPOLL_CLOEXEC);
	if (b->signal_fd < 0 || b->controls_fd < 0)
		return -errno;
	if (stat("/proc/self/ns/net", &st) == 0)
		b->netns = st.st_ino;
	r = journal_open(b, dir);
	if (r < 0)
		log_warning("%s: %s; a restart will lose the connections", dir,
			    strerror(-r));
	snprintf(saved_name, sizeof(saved_name), "path_manager.%llu", b->netns);
	take_path_manager(b);
	return 0;
}

static void broker_close(struct broker *b)
{
	while (b->clients)
		client_free(b, b->clients);
	restore_path_manager(b);
	users_free(&b->users);
	rtnl_free_table(&b->table);
	pump_free(&b->pump);
}

static void restore_state(struct broker *b)
{
	int r;

	restore_clients(b);
	r = resync_clients(b);
	if (r < 0)
		log_warning("cannot read the connections from the kernel: %s",
			    strerror(-r));
	if (HASH_COUNT(b->conns))
		log_info("restored %u connections", HASH_COUNT(b->conns));
}

static struct broker *broker_new(const struct options *options)
{
	struct broker *b = calloc(1, sizeof(*b));
	struct pool_error why = { "" };

	if (!b)
		return NULL;
	b->config = options->config;
	b->pump.event_fd = b->listen_fd = b->rtnl_fd = b->diag_fd = b->signal_fd = -1;
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
	if (!b || broker_open(b, options.dir) < 0)
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
