// SPDX-License-Identifier: MIT
/*
 * counter.c - the MPTcpExt and TcpExt counters of a host
 */
#include "counter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* @names and @values have the same layout; both are modified. */
static int64_t find(char *names, char *values, const char *name)
{
	char *n_save, *v_save, *n, *v;

	n = strtok_r(names, " \n", &n_save);
	v = strtok_r(values, " \n", &v_save);
	while (n && v) {
		if (!strcmp(n, name))
			return strtoll(v, NULL, 10);
		n = strtok_r(NULL, " \n", &n_save);
		v = strtok_r(NULL, " \n", &v_save);
	}
	return -ENOENT;
}

int64_t counter(const struct host *h, const char *name)
{
	char *names = NULL, *values = NULL;
	size_t names_size = 0, values_size = 0;
	int64_t r;
	FILE *f;

	r = host_enter(h);
	if (r < 0)
		return r;
	/* Not /proc/net, which is the netns of the process's first thread. */
	f = fopen("/proc/thread-self/net/netstat", "re");
	if (!f)
		return -errno;
	r = -ENOENT;
	while (r == -ENOENT && getline(&names, &names_size, f) > 0 &&
	       getline(&values, &values_size, f) > 0)
		r = find(names, values, name);
	fclose(f);
	free(names);
	free(values);
	return r;
}
