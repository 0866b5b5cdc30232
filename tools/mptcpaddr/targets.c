// SPDX-License-Identifier: MIT
/*
 * targets.c - the running programs whose pools a command shows or changes
 */
#include "targets.h"
#include "finding.h"
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

static bool is_brokered(const struct ctl *ctl, const struct ctl_manager *manager)
{
	return ctl->uid == 0 &&
	       !strncmp(manager->backend, "broker", sizeof(manager->backend));
}

const char *target_name(const struct ctl *ctl, const struct ctl_manager *manager,
			char ret_name[static TARGET_NAME_MAX])
{
	if (is_brokered(ctl, manager))
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
 * Whether mptcpaddrd has this pool for @pid. It names programs by argv[0] after its last
 * slash, which some programs overwrite; the kernel cuts its name.
 */
static bool is_same_program(pid_t pid, const struct ctl_manager *manager)
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
	return is_brokered(ctl, manager) ? is_same_program(targets->pid, manager)
					 : (uint32_t)targets->pid == manager->pid;
}

/* Return: 0 with the connection open; 1: the manager is not meant; -errno. */
static int open_target(const struct targets *targets, const char *name, struct ctl *ctl,
		       struct ctl_manager *manager)
{
	int r;

	if (!strcmp(name, BROKER_NAME))
		return 1; /* each of its pools has a socket of its own */
	r = ctl_open(name, ctl);
	if (r < 0)
		return r;
	/* Anybody may bind such a name: send no pool to strangers. */
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

/* What a call of fn() for each manager came to. */
struct visit {
	unsigned int meant, refused;
	int failed;
};

static struct visit visit_targets(const struct targets *targets,
				  char (*names)[NAME_TEXT_MAX], size_t n, target_fn fn,
				  void *ctx)
{
	struct visit visit = { .meant = 0 };
	struct ctl_manager manager;
	struct ctl ctl;
	size_t i;
	int r;

	for (i = 0; i < n; i++) {
		r = open_target(targets, names[i], &ctl, &manager);
		visit.refused += r < 0;
		if (r)
			continue;
		visit.meant++;
		visit.failed |= fn(ctx, &ctl, &manager);
		ctl_close(&ctl);
	}
	return visit;
}

static int print_no_target(const struct targets *targets, unsigned int refused)
{
	char who[PATH_MAX], more[64] = "";

	if (targets->pid)
		snprintf(who, sizeof(who), "process %d has no manager here",
			 targets->pid);
	else if (targets->program)
		snprintf(who, sizeof(who), "no manager here serves \"%s\"",
			 targets->program);
	else
		snprintf(who, sizeof(who),
			 "no program has a manager in this network namespace");
	if (refused)
		snprintf(more, sizeof(more),
			 "; %u did not answer, or belong to other users", refused);
	return print_error("%s%s", who, more);
}

struct name_list {
	char text[NAMED_MAX * TARGET_NAME_MAX];
	unsigned int n;
};

static int add_name(void *ctx, struct ctl *ctl, const struct ctl_manager *manager)
{
	struct name_list *list = ctx;
	const size_t len = strlen(list->text);
	char name[TARGET_NAME_MAX];

	if (list->n++ < NAMED_MAX)
		snprintf(list->text + len, sizeof(list->text) - len, "%s%s",
			 len ? ", " : "", target_name(ctl, manager, name));
	return 0;
}

int targets_each(const struct targets *targets, target_fn fn, void *ctx)
{
	struct name_list list = { .text = "" };
	char(*names)[NAME_TEXT_MAX];
	struct visit visit;
	size_t n = 0;
	int r = names_find(&names, &n);

	if (r < 0 && r != -E2BIG)
		return print_error("/proc/net/unix: %s", strerror(-r));
	if (targets->one)
		visit_targets(targets, names, n, add_name, &list);
	if (list.n > 1)
		visit.failed =
			print_error("%u programs (%s%s): choose one with --pid or "
				    "--program",
				    list.n, list.text, list.n > NAMED_MAX ? ", ..." : "");
	else
		visit = visit_targets(targets, names, n, fn, ctx);
	free(names);
	if (list.n <= 1 && !visit.meant)
		return print_no_target(targets, visit.refused);
	return visit.failed;
}
