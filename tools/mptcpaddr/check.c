// SPDX-License-Identifier: MIT
/*
 * check.c - mptcpaddr check: every error of pool files, and what is not on this machine
 */
#include "command.h"
#include "lookup.h"
#include "mptcpaddr/pool.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct ifaddrs *machine;
	unsigned int files;
	bool failed;
};

static void on_error(void *user, const char *text)
{
	puts(text);
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
static unsigned int check_endpoint(const char *path, const struct endpoint *ep,
				   const struct ifaddrs *machine)
{
	static const struct mpaddr none = { .family = AF_UNSPEC };
	struct mpaddr ip = ep->addr;
	char text[MPADDR_TEXT_MAX];

	ip.port = 0;
	if (ep->dev[0] && !has(machine, ep->dev, &none))
		printf("%s:%u: %s is not an interface of this machine (now)\n", path,
		       ep->line, ep->dev);
	else if (ip.family == AF_UNSPEC || has(machine, ep->dev, &ip))
		return 0;
	else if (ep->dev[0] && has(machine, "", &ip))
		printf("%s:%u: %s is not an address of %s (now)\n", path, ep->line,
		       mpaddr_text(&ip, text), ep->dev);
	else
		printf("%s:%u: %s is not an address of this machine (now)\n", path,
		       ep->line, mpaddr_text(&ip, text));
	return 1;
}

static void check_file(struct check *check, const char *path)
{
	unsigned int i, missing = 0;
	struct pool *pool = NULL;
	int errors = pool_check(path, &pool, on_error, NULL);

	check->files++;
	check->failed |= errors != 0;
	for (i = 0; pool && i < pool->n_endpoints; i++)
		missing += check_endpoint(path, &pool->endpoints[i], check->machine);
	if (pool && !errors && !missing)
		printf("%s: no errors; endpoints: %u\n", path, pool->n_endpoints);
	pool_free(pool);
}

static int is_pool_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	       !strcmp(entry->d_name + len - 5, ".conf");
}

static void check_folder(struct check *check, const char *folder)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n, i;

	n = *folder ? scandir(folder, &entries, is_pool_file, alphasort) : 0;
	if (n < 0) {
		if (errno == ENOENT)
			return;
		printf("%s: %s\n", folder, strerror(errno));
		check->failed = true;
	}
	for (i = 0; i < n; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
		    (int)sizeof(path))
			check_file(check, path);
		free(entries[i]);
	}
	if (n > 0 || (!n && *folder))
		free(entries);
}

static void check_folders(struct check *check)
{
	char user[PATH_MAX], system[PATH_MAX];

	lookup_folders(user, system);
	check_folder(check, user);
	check_folder(check, system);
	if (!check->files && !check->failed)
		printf("there is no pool file in %s%s%s\n", user, *user ? " or " : "",
		       system);
}

int cmd_check(int argc, char *argv[])
{
	struct check check = { .machine = NULL };
	int i = 1;

	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	else if (i < argc && argv[i][0] == '-')
		return usage_error("check", "there is no option %s", argv[i]);
	if (getifaddrs(&check.machine) < 0) {
		perror("mptcpaddr check: the addresses of this machine");
		return 1;
	}
	if (i == argc)
		check_folders(&check);
	for (; i < argc; i++)
		check_file(&check, argv[i]);
	freeifaddrs(check.machine);
	return fflush(stdout) || ferror(stdout) || check.failed ? 1 : 0;
}
