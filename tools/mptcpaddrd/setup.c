// SPDX-License-Identifier: MIT
/*
 * setup.c - what the broker opens, reads again, and puts back
 */
#include "setup.h"
#include "adopt.h"
#include "clients.h"
#include "journal.h"
#include "mptcpaddr/log.h"
#include "registration.h"
#include "sd_notify.h"
#include "shim/netlink/event_filter.h"
#include "shim/preload/subscribe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSCTLS "/proc/sys/net/mptcp/"

/* What net.mptcp.path_manager was, for the end; also beside the state file. */
static char saved_manager[16], saved_name[64];

/* Return: what the open sysctl or file says, its first word. */
static bool read_first_word(int fd, char *ret_word, size_t size)
{
	ssize_t n = fd < 0 ? -1 : pread(fd, ret_word, size - 1, 0);

	if (n <= 0)
		return false;
	ret_word[n] = '\0';
	ret_word[strcspn(ret_word, " \n")] = '\0';
	return true;
}

/* "1" before Linux 6.15, where it is pm_type. */
static bool is_userspace(const char *word)
{
	return !strcmp(word, "userspace") || !strcmp(word, "1");
}

/* A broker that was killed could not put it back: what it found is in a file. */
static void save_path_manager(struct broker *b, const char *now)
{
	int fd = openat(b->state_dir, saved_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	strcpy(saved_manager, now);
	if (is_userspace(now) &&
	    read_first_word(fd, saved_manager, sizeof(saved_manager))) {
		close(fd);
		return;
	}
	if (fd >= 0) {
		if (ftruncate(fd, 0) < 0 || write(fd, now, strlen(now)) < 0)
			log_warning("cannot note what net.mptcp.path_manager was");
		close(fd);
	}
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
			log_warning("the path manager is the kernel's "
				    "(net.mptcp.path_manager): connections have no pool "
				    "until it is \"userspace\", as option -u sets it");
		return;
	}
	save_path_manager(b, now);
	if (!is_userspace(now) && pwrite(b->path_manager_fd, word, strlen(word), 0) < 0)
		log_error("cannot set net.mptcp.path_manager: %s", strerror(errno));
	else if (!is_userspace(now))
		log_info("net.mptcp.path_manager was \"%s\" and is \"%s\" now", now,
			 word);
}

/* Unless somebody else has changed it meanwhile. */
static void restore_path_manager(struct broker *b)
{
	char now[16];

	if (!b->policy.userspace || !saved_manager[0])
		return;
	if (!is_userspace(saved_manager) &&
	    read_first_word(b->path_manager_fd, now, sizeof(now)) && is_userspace(now)) {
		if (lseek(b->path_manager_fd, 0, SEEK_SET) < 0 ||
		    write(b->path_manager_fd, saved_manager, strlen(saved_manager)) < 0)
			log_error("cannot put net.mptcp.path_manager back: %s",
				  strerror(errno));
		else
			log_info("net.mptcp.path_manager is \"%s\" again", saved_manager);
	}
	if (b->state_dir >= 0)
		unlinkat(b->state_dir, saved_name, 0);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Kernel first: what it tells from here on is not lost. Return: what failed. */
static const char *open_kernel(struct broker *b, int *ret_error)
{
	*ret_error = subscribe_events(&b->pump.event_fd, &b->pump.family_id);
	if (*ret_error < 0)
		return *ret_error == -ENOENT ? "this kernel has no MPTCP path manager"
					     : "path manager events";
	evfilter_useful(b->pump.event_fd);
	b->command_fd = *ret_error = pm_command_open();
	if (*ret_error < 0)
		return "path manager commands";
	b->diag_fd = *ret_error = diag_open();
	if (*ret_error < 0)
		return "sock_diag";
	b->netif_fd = *ret_error = netif_watch();
	if (*ret_error < 0)
		return "interfaces";
	netif_read(&b->table);
	return NULL;
}

int broker_open(struct broker *b, const char *folder)
{
	struct stat st;
	const char *what;
	int r;

	r = registration_open(b);
	if (r < 0) {
		log_error(r == -EADDRINUSE
				  ? "another broker runs in this network namespace"
				  : "no socket for programs: %s",
			  strerror(-r));
		return r;
	}
	what = open_kernel(b, &r);
	if (what) {
		log_error("%s: %s", what, strerror(-r));
		return r;
	}
	b->signal_fd = open_signals();
	b->controls_fd = epoll_create1(EPOLL_CLOEXEC);
	if (b->signal_fd < 0 || b->controls_fd < 0)

		return -errno;
	r = journal_open(b, folder);
	if (r < 0)
		log_warning("%s: %s; a restart will not know the connections", folder,
			    strerror(-r));
	if (stat("/proc/self/ns/net", &st) == 0)
		snprintf(saved_name, sizeof(saved_name), "path_manager.%llu",
			 (unsigned long long)st.st_ino);
	take_path_manager(b);
	return 0;
}

int broker_load_policy(struct broker *b, struct pool_error *why)
{
	/* One that was asked for: nobody is to have more than it says. */
	const bool needed = strcmp(b->config, POLICY_FILE) != 0;
	int r = policy_load(b->config, needed, &b->policy, why);

	if (r == 0 && b->policy.n_programs && !b->policy.adopt)
		log_warning("%s:%u: a [program] counts with \"adopt = yes\" only",
			    b->config, b->policy.programs[0].line);
	return r;
}

void broker_reload(struct broker *b)
{
	const bool userspace = b->policy.userspace;
	struct pool_error why = { "" };
	struct client *client;

	notify_reloading();
	if (broker_load_policy(b, &why) < 0) {
		log_error("%s; what was in force before stays", why.text);
	} else {
		b->policy.userspace = userspace; /* decided at start */
		adopt_clear_cache();
		log_open(STDERR_FILENO, b->policy.log, "mptcpaddrd", getpid());
		log_info("read %s again", b->config);
		for (client = b->clients; client; client = client->next)
			client_resolve(b, client);
	}
	notify_state("READY=1");
}

void broker_close(struct broker *b)
{
	while (b->clients)
		client_free(b, b->clients);
	restore_path_manager(b);
	users_free(&b->users);
	netif_free(&b->table);
	pump_free(&b->pump);
}
