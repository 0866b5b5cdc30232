// SPDX-License-Identifier: MIT
/*
 * tree.c - a process and all that descend from it
 */
#include "tree.h"

#include "tools/mptcpinfo/snapshot.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct process_parent {
	pid_t pid;
	pid_t parent;
	bool in; /* the tree */
};

struct table {
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

/* The name, in brackets, may hold anything, a bracket as well. */
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

static int read_table(struct table *table)
{
	struct process_parent *slot;
	struct dirent *entry;
	pid_t parent;
	DIR *dir;
	int r = 0;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    read_parent(entry->d_name, &parent) < 0)
			continue;
		slot = array_grow(&table->at, &table->n, sizeof(*slot));
		if (slot)
			*slot = (struct process_parent){ .pid = atoi(entry->d_name),
							 .parent = parent };
		else
			r = -ENOMEM;
	}
	closedir(dir);
	if (table->n)
		qsort(table->at, table->n, sizeof(*table->at), compare_pids);
	return r;
}

static bool is_in(const struct table *table, pid_t pid)
{
	const struct process_parent *found;

	found = table->n ? bsearch(&pid, table->at, table->n, sizeof(*table->at),
				   compare_pids)
			 : NULL;
	return found && found->in;
}

/* Once more for as long as someone is found: a child may have a lower PID. */
static size_t mark(struct table *table, const struct tree *tree)
{
	size_t i, n = 0, before;

	for (i = 0; i < table->n; i++) {
		table->at[i].in = tree_has(tree, table->at[i].pid);
		n += table->at[i].in;
	}
	do {
		before = n;
		for (i = 0; i < table->n; i++) {
			if (table->at[i].in || !is_in(table, table->at[i].parent))
				continue;
			table->at[i].in = true;
			n++;
		}
	} while (n > before);
	return n;
}

int tree_start(struct tree *tree, pid_t root)
{
	tree->pids = malloc(sizeof(*tree->pids));
	if (!tree->pids)
		return -ENOMEM;
	tree->pids[0] = root;
	tree->n = 1;
	return 0;
}

int tree_update(struct tree *tree)
{
	struct table table = { 0 };
	size_t i, n;
	pid_t *pids;
	int r;

	r = read_table(&table);
	if (r < 0)
		goto out;
	n = mark(&table, tree);
	pids = calloc(n + 1, sizeof(*pids));
	r = pids ? 0 : -ENOMEM;
	if (r < 0)
		goto out;
	free(tree->pids);
	tree->pids = pids;
	tree->n = 0;
	for (i = 0; i < table.n; i++) {
		if (table.at[i].in)
			pids[tree->n++] = table.at[i].pid;
	}
out:
	free(table.at);
	return r;
}

bool tree_has(const struct tree *tree, pid_t pid)
{
	return tree->n &&
	       bsearch(&pid, tree->pids, tree->n, sizeof(*tree->pids), compare_pids);
}

void tree_free(struct tree *tree)
{
	free(tree->pids);
	*tree = (struct tree){ 0 };
}
