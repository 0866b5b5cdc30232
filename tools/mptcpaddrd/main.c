// SPDX-License-Identifier: MIT
/*
 * main.c - mptcpaddrd, the path manager of programs without CAP_NET_ADMIN
 *
 * The order in main() keeps it safe: open everything that needs rights, give up the
 * rights, and only then listen to programs.
 */
#include "broker.h"
#include "mptcpaddr/log.h"
#include "shim/common/str.h"
#include "shim/manager/slice.h"
#include "shim/preload/subscribe.h"
#include "tools/common/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define STATE_DIR "/run/mptcpaddr"
#define FILES_MAX 8192

static struct broker broker = {
	.config = POLICY_FILE,
	.path_manager_fd = -1,
	.journal_fd = -1,
	.rearm.sysctl_fd = -1,
	.state_dir = -1,
	.pump = { .send_command = dispatch_command, .ctx = &broker },
};

static _Noreturn void print_usage(int status)
{
	fprintf(status ? stderr : stdout,
		"usage: mptcpaddrd [-u] [-c FILE] [-s DIR]\n"
		"  -u, --userspace     set net.mptcp.path_manager, and restore it at "
		"exit\n"
		"  -c, --config FILE   instead of " POLICY_FILE "\n"
		"  -s, --state DIR     instead of " STATE_DIR "\n");
	exit(fflush(stdout) ? 1 : status);
}

/* Return: the directory for the state. */
static const char *read_options(int argc, char *argv[], struct broker *b)
{
	static const struct option names[] = {
		{ "userspace", no_argument, NULL, 'u' },
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *dir = STATE_DIR;
	int c;

	while ((c = getopt_long(argc, argv, "uc:s:hV", names, NULL)) != -1) {
		switch (c) {
		case 'u':
			b->userspace = true;
			break;
		case 'c':
			b->config = optarg;
			break;
		case 's':
			dir = optarg;
			break;
		case 'V':
			puts("mptcpaddrd " MPTCPADDR_VERSION);
			exit(fflush(stdout) ? 1 : 0);
		default:
			print_usage(c == 'h' ? 0 : 2);
		}
	}
	if (optind < argc) {
		fprintf(stderr, "mptcpaddrd: unexpected argument \"%s\"\n", argv[optind]);
		print_usage(2);
	}
	return dir;
}

#define SYSCTLS	 "/proc/sys/net/mptcp/"
#define WORD_MAX 16

/* The previous value of net.mptcp.path_manager, and the name of the file that has it. */
static char saved_manager[WORD_MAX], saved_name[64];

/* Read the first word of a sysctl or file. Return: false: none, @ret_word unchanged. */
static bool read_first_word(int fd, char ret_word[static WORD_MAX])
{
	ssize_t n = fd < 0 ? -1 : pread(fd, ret_word, WORD_MAX - 1, 0);

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

/* The sandbox does not allow pwrite(). */
static bool write_path_manager(const struct broker *b, const char *word, const char *verb)
{
	const bool done = lseek(b->path_manager_fd, 0, SEEK_SET) == 0 &&
			  write(b->path_manager_fd, word, strlen(word)) >= 0;

	if (!done)
		log_error("cannot %s net.mptcp.path_manager: %s", verb, strerror(errno));
	return done;
}

/* A broker that was killed could not restore the value: the file has it. */
static void save_path_manager(const struct broker *b, const char *now)
{
	int fd = openat(b->state_dir, saved_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	strcpy(saved_manager, now);
	if (fd < 0)
		return;
	if ((!is_userspace(now) || !read_first_word(fd, saved_manager)) &&
	    (ftruncate(fd, 0) < 0 || write(fd, now, strlen(now)) < 0))
		log_warning("cannot save the value of net.mptcp.path_manager");
	close(fd);
}

static void take_path_manager(struct broker *b)
{
	const int flags = (b->userspace ? O_RDWR : O_RDONLY) | O_CLOEXEC;
	const char *word = "userspace";
	char now[WORD_MAX];

	b->path_manager_fd = open(SYSCTLS "path_manager", flags);
	if (b->path_manager_fd < 0 && errno == ENOENT) {
		b->path_manager_fd = open(SYSCTLS "pm_type", flags);
		word = "1";
	}
	if (!read_first_word(b->path_manager_fd, now)) {
		log_warning("cannot read net.mptcp.path_manager: %s", strerror(errno));
		return;
	}
	if (b->userspace)
		save_path_manager(b, now);
	if (is_userspace(now))
		return;
	if (!b->userspace)
		log_warning("the path manager is the kernel's "
			    "(net.mptcp.path_manager): pools have no effect until "
			    "it is \"userspace\"; see option -u");
	else if (write_path_manager(b, word, "set"))
		log_info("changed net.mptcp.path_manager from \"%s\" to \"%s\"", now,
			 word);
}

/* Unless another program has changed it meanwhile. */
static void restore_path_manager(const struct broker *b)
{
	char now[WORD_MAX];

	if (!saved_manager[0])
		return;
	if (!is_userspace(saved_manager) && read_first_word(b->path_manager_fd, now) &&
	    is_userspace(now) && write_path_manager(b, saved_manager, "restore"))
		log_info("restored net.mptcp.path_manager to \"%s\"", saved_manager);
	if (b->state_dir >= 0)
		unlinkat(b->state_dir, saved_name, 0);
}

static bool has_failed(int r, const char *what)
{
	if (r < 0)
		log_error("%s: %s", what, strerror(-r));
	return r < 0;
}

/* Kernel events from here on are not lost. */
static bool open_sockets(struct broker *b)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, 0 };
	int r;

	r = names_bind(b);
	if (r == -EADDRINUSE) {
		log_error("another broker is running in this network namespace");
		return false;
	}
	if (has_failed(r, "cannot open the registration sockets"))
		return false;
	r = subscribe_events(&b->pump.event_fd, &b->pump.family_id);
	if (has_failed(r, r == -ENOENT ? "this kernel has no MPTCP path manager"
				       : "path manager events"))
		return false;
	event_filter_set_useful(b->pump.event_fd);
	b->command_fd = pm_command_open();
	b->pump.diag_fd = diag_open();
	b->rtnl_fd = rtnl_watch();
	b->signal_fd = signals_open(signals, NULL);
	b->controls_fd = epoll_create1(EPOLL_CLOEXEC);
	return !has_failed(b->controls_fd < 0 ? -errno : 0, "control sockets") &&
	       !has_failed(b->command_fd, "path manager commands") &&
	       !has_failed(b->pump.diag_fd, "sock_diag") &&
	       !has_failed(b->rtnl_fd, "interfaces") &&
	       !has_failed(b->signal_fd, "signals");
}

static void open_files(struct broker *b, const char *dir)
{
	struct stat st;
	int r;

	if (stat("/proc/self/ns/net", &st) == 0)
		b->netns = st.st_ino;
	r = journal_open(b, dir);
	if (r < 0)
		log_warning("%s: %s; a restart will lose the connections", dir,
			    strerror(-r));
	snprintf(saved_name, sizeof(saved_name), "path_manager.%llu", b->netns);
	take_path_manager(b);
	rearm_open(b);
	rtnl_read_table(&b->table);
	broker_check_devices(b);
	notify_open();
}

static void restore_state(struct broker *b)
{
	int r;

	restore_clients(b);
	r = resync_clients(b);
	b->pump.lost = r < 0;
	if (r < 0)
		log_warning("cannot read the connections from the kernel: %s; retrying",
			    strerror(-r));
	if (HASH_COUNT(b->conns))
		log_info("restored %u connection%s", HASH_COUNT(b->conns),
			 PLURAL(HASH_COUNT(b->conns)));
}

/* "DEVICE:INODE" of the standard error that systemd made; it may lead elsewhere now. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* The journal reads a line's priority from a prefix (sd-daemon(3)). */
static void open_broker_log(void)
{
	static const char *const journal[] = { "<3>", "<4>", "<6>", "<7>" };
	static const char *const plain[] = {
		"mptcpaddrd: error: ", "mptcpaddrd: warning: ", "mptcpaddrd: info: ",
		"mptcpaddrd: debug: "
	};

	log_manager.prefixes = is_journal(STDERR_FILENO) ? journal : plain;
	log_open(STDERR_FILENO, LOG_LEVEL_INFO, "mptcpaddrd", getpid());
}

/* For control sockets, connected tools and processes of many users. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= FILES_MAX)
		return;
	limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Not the file's fault: systemd may try again, which it does not after EX_CONFIG. */
static bool load_may_succeed_later(int r)
{
	return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

int main(int argc, char *argv[])
{
	struct broker *b = &broker;
	const char *dir = read_options(argc, argv, b), *what;
	struct pool_error why;
	int r;

	open_broker_log();
	if (geteuid() != 0) {
		log_error("must be started by root: programs trust no other broker");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	r = broker_load_policy(b, &why);
	if (r < 0) {
		log_error("%s", why.text);
		return load_may_succeed_later(r) ? 1 : EX_CONFIG;
	}
	b->userspace |= b->policy.userspace;
	if (!open_sockets(b))
		return 1;
	open_files(b, dir);
	slice_shorten();
	r = sandbox_enter(b->policy.rearm, &what);
	if (has_failed(r, what))
		return 1;
	restore_state(b);
	if (has_failed(names_listen(b), "listen"))
		return 1;
	log_info("serving programs of this network namespace");
	notify_state("READY=1\nSTATUS=Serving programs of this network namespace");
	r = broker_run(b);
	notify_state("STOPPING=1");
	names_remove(b);
	restore_path_manager(b);
	return r < 0;
}
