// SPDX-License-Identifier: MIT
/*
 * program.c - run a program as if by the shell, and find its descendants
 *
 * The program stays in our process group: signals caused by keys of the terminal reach
 * it from the kernel and are not forwarded. All others sent to us are.
 */
#include "monitor.h"
#include "tools/common/signals.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_FOUND  127
#define NOT_TO_RUN 126

/* Does not return in the child. Return: 0 or -errno, also of exec. */
static int child_spawn(struct child *child, char **argv, const sigset_t *mask)
{
	int fds[2], error = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	child->pid = fork();
	if (child->pid == 0) {
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(argv[0], argv);
		error = errno;
		if (write(fds[1], &error, sizeof(error)) < 0)
			error = 0; /* the parent has gone */
		_exit(NOT_FOUND);
	}
	if (child->pid < 0)
		error = errno;
	close(fds[1]);
	/* End of file: exec has closed the pipe. */
	while (child->pid > 0 && read(fds[0], &error, sizeof(error)) < 0 &&
	       errno == EINTR)
		;
	close(fds[0]);
	if (error && child->pid > 0)
		waitpid(child->pid, NULL, 0);
	return -error;
}

int child_start(struct child *ret, char **argv)
{
	static const int signals[] = { SIGCHLD, SIGINT,	 SIGQUIT, SIGTERM,
				       SIGHUP,	SIGUSR1, SIGUSR2, 0 };
	sigset_t before;
	int r;

	*ret = (struct child){ .status = NOT_TO_RUN };
	/* Orphans of the tree become our children and so stay in the tree. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* If ignored, the exit status would be lost. */
	signal(SIGCHLD, SIG_DFL);
	ret->sigfd = signals_open(signals, &before);
	r = ret->sigfd < 0 ? ret->sigfd : child_spawn(ret, argv, &before);
	if (r < 0) {
		ret->status = r == -ENOENT ? NOT_FOUND : NOT_TO_RUN;
		fprintf(stderr, "mptcpinfo: %s: %s\n", argv[0], strerror(-r));
	}
	return r;
}

/* Also reaps the orphans of the tree. */
static void child_reap(struct child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->ended = true;
		child->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						    : WEXITSTATUS(status);
	}
}

void child_handle_signals(struct child *child)
{
	struct signalfd_siginfo info;

	while (read(child->sigfd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		/* From the kernel: a key or a hangup, which the child gets, too. */
		if (info.ssi_code > 0 || (pid_t)info.ssi_pid == child->pid)
			continue;
		child_reap(child);
		if (!child->ended)
			kill(child->pid, info.ssi_signo);
	}
	child_reap(child);
}

struct process_parent {
	pid_t pid;
	pid_t parent;
	bool in; /* the tree */
};

struct process_table {
	struct process_parent *at; /* by PID */
	size_t n;
};

static int compare_pids(const void *pa, const void *pb)
{
	pid_t a, b;

	/* The first member of struct process_parent, too. */
	memcpy(&a, pa, sizeof(a));
	memcpy(&b, pb, sizeof(b));
	return (a > b) - (a < b);
}

/* The name, in brackets, may contain brackets. */
static int read_parent(const char *pid, pid_t *ret_parent)
{
	char path[64], text[512], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end, ") %*c %d", ret_parent) == 1 ? 0 : -EINVAL;
}

static int read_process_table(struct process_table *table)
{
	struct process_parent *slot;
	struct dirent *entry;
	pid_t parent;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    read_parent(entry->d_name, &parent) < 0)
			continue;
		slot = array_grow(&table->at, &table->n, sizeof(*slot));
		*slot = (struct process_parent){ .pid = atoi(entry->d_name),
						 .parent = parent };
	}
	closedir(dir);
	if (table->n)
		qsort(table->at, table->n, sizeof(*table->at), compare_pids);
	return 0;
}

static bool is_in_tree(const struct process_table *table, pid_t pid)
{
	const struct process_parent *found;

	found = table->n ? bsearch(&pid, table->at, table->n, sizeof(*table->at),
				   compare_pids)
			 : NULL;
	return found && found->in;
}

/* Repeat until no more are found: a child may have a lower PID than its parent. */
static size_t mark_tree(struct process_table *table, const struct tree *tree)
{
	size_t i, n = 0, before;

	for (i = 0; i < table->n; i++) {
		table->at[i].in = tree_has(tree, table->at[i].pid);
		n += table->at[i].in;
	}
	do {
		before = n;
		for (i = 0; i < table->n; i++) {
			if (table->at[i].in || !is_in_tree(table, table->at[i].parent))
				continue;
			table->at[i].in = true;
			n++;
		}
	} while (n > before);
	return n;
}

void tree_start(struct tree *tree, pid_t root)
{
	pid_t *pid;

	pid = array_grow(&tree->pids, &tree->n, sizeof(*pid));
	*pid = root;
}

int tree_update(struct tree *tree)
{
	struct process_table table = { 0 };
	size_t i;
	pid_t *pids;
	int r;

	r = read_process_table(&table);
	if (r < 0)
		return r;
	pids = array_alloc(mark_tree(&table, tree), sizeof(*pids));
	free(tree->pids);
	tree->pids = pids;
	tree->n = 0;
	for (i = 0; i < table.n; i++) {
		if (table.at[i].in)
			pids[tree->n++] = table.at[i].pid;
	}
	free(table.at);
	return 0;
}

bool tree_has(const struct tree *tree, pid_t pid)
{
	return tree->n &&
	       bsearch(&pid, tree->pids, tree->n, sizeof(*tree->pids), compare_pids);
}
