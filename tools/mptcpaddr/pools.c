// SPDX-License-Identifier: MIT
/*
 * pools.c - look through pool files: every error, and what is not on this machine now
 */
#include "pools.h"
#include "lookup.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_TEXT (PATH_MAX + 256)

static void on_error(void *user, const char *text)
{
	const struct pools_reader *reader = user;

	reader->tell(reader->ctx, POOLS_ERROR, text);
}

/* Whether @name ("": any) has @addr; AF_UNSPEC: whether there is such an interface. */
static bool has(const struct ifaddrs *machine, const char *name,
		const struct mpaddr *addr)
{
	struct mpaddr own;

	for (; machine; machine = machine->ifa_next) {
		if (*name && strcmp(machine->ifa_name, name))
			continue;
		if (addr->family == AF_UNSPEC)
			return true;
		if (!machine->ifa_addr)
			continue;
		if (machine->ifa_addr->sa_family == AF_INET)
			mpaddr_set_v4(
				&own,
				&((struct sockaddr_in *)machine->ifa_addr)->sin_addr);
		else if (machine->ifa_addr->sa_family == AF_INET6)
			mpaddr_set_v6(
				&own,
				&((struct sockaddr_in6 *)machine->ifa_addr)->sin6_addr);
		else
			continue;
		if (mpaddr_same_ip(&own, addr))
			return true;
	}
	return false;
}

/* Return: how many warnings there were, 0 or 1. */
static unsigned int check_endpoint(const struct pools_reader *reader, const char *path,
				   const struct endpoint *ep,
				   const struct ifaddrs *machine)
{
	static const struct mpaddr none = { .family = AF_UNSPEC };
	char text[LINE_MAX_TEXT], addr[MPADDR_TEXT_MAX];
	struct mpaddr ip = ep->addr;
	int n = snprintf(text, sizeof(text), "%s:%u: ", path, ep->line);
	char *rest = text + n;
	size_t size = sizeof(text) - n;

	ip.port = 0;
	if (ep->dev[0] && !has(machine, ep->dev, &none))
		snprintf(rest, size, "%s is not an interface of this machine (now)",
			 ep->dev);
	else if (ip.family == AF_UNSPEC || has(machine, ep->dev, &ip))
		return 0;
	else if (ep->dev[0] && has(machine, "", &ip))
		snprintf(rest, size, "%s is not an address of %s (now)",
			 mpaddr_text(&ip, addr), ep->dev);
	else
		snprintf(rest, size, "%s is not an address of this machine (now)",
			 mpaddr_text(&ip, addr));
	reader->tell(reader->ctx, POOLS_ABSENT, text);
	return 1;
}

int pools_check(const char *path, struct pool **ret_pool, pool_report_fn report,
		void *user)
{
	char text[LINE_MAX_TEXT];
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return pool_check(path, ret_pool, report, user);
	snprintf(text, sizeof(text), "%s is not a regular file", path);
	report(user, text);
	return -EINVAL;
}

static void check_file(const struct pools_reader *reader, const char *path,
		       const struct ifaddrs *machine)
{
	unsigned int i, missing = 0;
	struct pool *pool = NULL;
	int errors = pools_check(path, &pool, on_error, (void *)reader);
	char text[LINE_MAX_TEXT];

	for (i = 0; pool && i < pool->n_endpoints; i++)
		missing += check_endpoint(reader, path, &pool->endpoints[i], machine);
	if (pool && !errors && !missing) {
		snprintf(text, sizeof(text), "%s: no errors; endpoints: %u", path,
			 pool->n_endpoints);
		reader->tell(reader->ctx, POOLS_GOOD, text);
	}
	if (pool && reader->pool)
		reader->pool(reader->ctx, path, pool);
	pool_free(pool);
}

static int is_pool_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	/* The broker's own configuration lives there too. */
	return strcmp(entry->d_name, "broker.conf") != 0 && entry->d_name[0] != '.' &&
	       len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* Return: how many files there were, or why nobody knows: then 1. */
static int check_folder(const struct pools_reader *reader, const char *folder,
			const struct ifaddrs *machine)
{
	char path[LINE_MAX_TEXT];
	struct dirent **entries;
	int n, i;

	n = scandir(folder, &entries, is_pool_file, alphasort);
	if (n < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(path, sizeof(path), "%s: %s", folder, strerror(errno));
		reader->tell(reader->ctx, POOLS_FOLDER, path);
		return 1;
	}
	for (i = 0; i < n; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", folder, entries[i]->d_name) <
		    PATH_MAX)
			check_file(reader, path, machine);
		free(entries[i]);
	}
	free(entries);
	return n;
}

int pools_file(const struct pools_reader *reader, const char *path)
{
	struct ifaddrs *machine;

	if (getifaddrs(&machine) < 0)
		return -errno;
	check_file(reader, path, machine);
	freeifaddrs(machine);
	return 0;
}

int pools_folders(const struct pools_reader *reader)
{
	char user[PATH_MAX], system[PATH_MAX];
	struct ifaddrs *machine;
	int n = 0;

	if (getifaddrs(&machine) < 0)
		return -errno;
	lookup_folders(user, system);
	if (*user)
		n = check_folder(reader, user, machine);
	n += check_folder(reader, system, machine);
	freeifaddrs(machine);
	return n;
}
