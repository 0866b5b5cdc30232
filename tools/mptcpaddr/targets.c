// SPDX-License-Identifier: MIT
/*
 * targets.c - the running programs whose pool a command is about
 */
#include "targets.h"
#include "mptcpaddr/broker.h"
#include "tools/common/names.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMED_MAX     8	 /* in a message */
#define TASK_COMM_MAX 15 /* without its NUL */

int targets_option(struct targets *targets, int argc, char *argv[], int *at)
{
	const char *option = argv[*at], *value = *at + 1 < argc ? argv[*at + 1] : NULL;
	char *end;

	if (strcmp(option, "--pid") != 0 && strcmp(option, "--program") != 0)
		return 0;
	if (!value)
		return -EINVAL;
	*at += 2;
	if (!strcmp(option, "--program")) {
		targets->program = value;
		return 1;
	}
	targets->pid = strtol(value, &end, 10);
	return *end || targets->pid <= 0 ? -EINVAL : 1;
}

static bool by_broker(const struct ctl *ctl, const struct ctl_manager *manager)
{
	return ctl->uid == 0 &&
	       !strncmp(manager->backend, "broker", sizeof(manager->backend));
}

const char *target_name(const struct ctl *ctl, const struct ctl_manager *manager,
			char ret_name[static TARGET_NAME_MAX])
{
	if (by_broker(ctl, manager))
		snprintf(ret_name, TARGET_NAME_MAX, "%s of user %u", manager->program,
			 manager->uid);
	else
		snprintf(ret_name, TARGET_NAME_MAX, "%s[%u]", manager->program,
			 manager->pid);
	return ret_name;
}

/* The first text of /proc/@pid/@file; "" if there is none. Return: its owner. */
static uid_t read_proc(pid_t pid, const char *file, char ret_text[static PATH_MAX])
{
	struct stat st = { .st_uid = (uid_t)-1 };
	char path[64];
	FILE *f;

	ret_text[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fstat(fileno(f), &st) < 0 || !fgets(ret_text, PATH_MAX, f))
		ret_text[0] = '\0';
	fclose(f);
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return st.st_uid;
}

/*
 * Whether @pid is one of the programs that mptcpaddrd has this pool for: known there by
 * argv[0] behind its last slash, which some programs overwrite; the kernel cuts its name.
 */
static bool is_program_of(pid_t pid, const struct ctl_manager *manager)
{
	char started[PATH_MAX], name[PATH_MAX], *slash;
	uid_t uid = read_proc(pid, "cmdline", started);

	read_proc(pid, "comm", name);
	slash = strrchr(started, '/');
	return uid == manager->uid &&
	       (!strcmp(slash ? slash + 1 : started, manager->program) ||
		(*name && !strncmp(name, manager->program, TASK_COMM_MAX)));
}

static bool is_meant(const struct targets *targets, const struct ctl *ctl,
		     const struct ctl_manager *manager)
{
	if (targets->program && strcmp(targets->program, manager->program) != 0)
		return false;
	if (!targets->pid)
		return true;
	return by_broker(ctl, manager) ? is_program_of(targets->pid, manager)
				       : (uint32_t)targets->pid == manager->pid;
}

/* Return: 0 with the connection open, and the manager is meant; -errno; 1: another. */
static int try_one(const struct targets *targets, const char *name, struct ctl *ctl,
		   struct ctl_manager *manager)
{
	int r;

	if (!strcmp(name, BROKER_NAME))
		return 1; /* the pools that it has are behind names of their own */
	r = ctl_open(name, ctl);
	if (r < 0)
		return r;
	/* Anybody may bind such a name: a pool is not told to strangers. */
	if (ctl->uid != 0 && ctl->uid != geteuid() && geteuid() != 0)
		r = -EPERM;
	if (r == 0)
		r = ctl_ask(ctl, CTL_OP_MANAGER, 0, sizeof(*manager));
	if (r == 0 && ctl_answer(ctl)->count == 1)
		ctl_record(ctl, 0, manager, sizeof(*manager));
	else if (r == 0)
		r = -EBADMSG;
	manager->program[sizeof(manager->program) - 1] = '\0';
	manager->pool_file[sizeof(manager->pool_file) - 1] = '\0';
	manager->pool_error[sizeof(manager->pool_error) - 1] = '\0';
	if (r == 0 && !is_meant(targets, ctl, manager))
		r = 1;
	if (r)
		ctl_close(ctl);
	return r;
}

static int tell_none(const struct targets *targets, unsigned int refused)
{
	if (targets->pid)
		fprintf(stderr, "mptcpaddr: process %d has no manager here",
			targets->pid);
	else if (targets->program)
		fprintf(stderr, "mptcpaddr: no manager here serves \"%s\"",
			targets->program);
	else
		fprintf(stderr, "mptcpaddr: no program has a manager in this network "
				"namespace");
	fprintf(stderr, refused ? "; %u did not answer, or are other users'\n" : "\n",
		refused);
	return 1;
}

static void add_name(char *all, unsigned int i, const struct ctl *ctl,
		     const struct ctl_manager *manager)
{
	char name[TARGET_NAME_MAX];
	size_t len = strlen(all);

	snprintf(all + len, NAMED_MAX * TARGET_NAME_MAX - len, "%s%s", i ? ", " : "",
		 target_name(ctl, manager, name));
}

int targets_each(const struct targets *targets,
		 int (*fn)(void *ctx, struct ctl *ctl, const struct ctl_manager *manager),
		 void *ctx)
{
	struct ctl_manager manager, first = { 0 };
	struct ctl ctl, kept = { .fd = -1 };
	char(*names)[NAME_TEXT_MAX];
	char all[NAMED_MAX * TARGET_NAME_MAX] = "";
	unsigned int meant = 0, refused = 0;
	size_t i, n = 0;
	int r, failed = 0;

	r = names_find(&names, &n);
	if (r < 0 && r != -E2BIG) {
		fprintf(stderr, "mptcpaddr: /proc/net/unix: %s\n", strerror(-r));
		return 1;
	}
	for (i = 0; i < n; i++) {
		r = try_one(targets, names[i], &ctl, &manager);
		refused += r < 0;
		if (r)
			continue;
		if (!targets->one) {
			failed |= fn(ctx, &ctl, &manager);
			ctl_close(&ctl);
		} else {
			if (meant < NAMED_MAX)
				add_name(all, meant, &ctl, &manager);
			if (!meant) {
				kept = ctl;
				first = manager;
			} else {
				ctl_close(&ctl);
			}
		}
		meant++;
	}
	free(names);
	if (!meant)
		return tell_none(targets, refused);
	if (targets->one && meant == 1)
		failed = fn(ctx, &kept, &first);
	else if (targets->one)
		failed = fprintf(stderr,
				 "mptcpaddr: %u programs (%s%s): say which one with "
				 "--pid or --program\n",
				 meant, all, meant > NAMED_MAX ? ", ..." : "") > 0;
	ctl_close(&kept);
	return failed;
}
