// SPDX-License-Identifier: MIT
/*
 * pool_files.c - find and check pool files; mptcpaddr check
 */
#include "pool_files.h"
#include "command.h"
#include "finding.h"

#include "shim/preload/pool_file.h"

#include <dirent.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_TEXT (PATH_MAX + 256)

/* The user's directory, then the system's; @ret_user is "" if the user has none. */
static void find_directories(char ret_user[PATH_MAX], char ret_system[PATH_MAX])
{
	size_t len = pool_file_user_dir(ret_user);

	ret_user[len ? len - 1 : 0] = '\0'; /* without the slash */
	snprintf(ret_system, PATH_MAX, "/etc/mptcpaddr");
}

/* Whether @name ("": any) has @addr; AF_UNSPEC: whether there is such an interface. */
static bool has_address(const struct ifaddrs *machine, const char *name,
			const struct mpaddr *addr)
{
	struct mpaddr own;

	for (; machine; machine = machine->ifa_next) {
		const struct sockaddr *sa = machine->ifa_addr;

		if (*name && strcmp(machine->ifa_name, name))
			continue;
		if (addr->family == AF_UNSPEC)
			return true;
		if (sa && sa->sa_family == AF_INET)
			mpaddr_set(&own, AF_INET,
				   &((const struct sockaddr_in *)sa)->sin_addr);
		else if (sa && sa->sa_family == AF_INET6)
			mpaddr_set(&own, AF_INET6,
				   &((const struct sockaddr_in6 *)sa)->sin6_addr);
		else
			continue;
		if (mpaddr_same_ip(&own, addr))
			return true;
	}
	return false;
}

/* Return: whether it can be used now. */
static bool check_endpoint(const struct pool_reader *reader, const char *path,
			   const struct endpoint *ep, const struct ifaddrs *machine)
{
	static const struct mpaddr any = { .family = AF_UNSPEC };
	const char *what = ep->dev, *of = "this machine";
	char text[LINE_MAX_TEXT], addr[MPADDR_TEXT_MAX];
	const char *kind = "an interface";
	struct mpaddr ip = ep->addr;

	ip.port = 0;
	if (!ep->dev[0] || has_address(machine, ep->dev, &any)) {
		if (ip.family == AF_UNSPEC || has_address(machine, ep->dev, &ip))
			return true;
		what = mpaddr_text(&ip, addr);
		kind = "an address";
		if (ep->dev[0] && has_address(machine, "", &ip))
			of = ep->dev;
	}
	snprintf(text, sizeof(text), "%s:%u: %s is not %s of %s (now)", path, ep->line,
		 what, kind, of);
	reader->on_line(reader->ctx, POOL_LINE_UNUSABLE, text);
	return false;
}

static void on_bad_line(void *user, const char *text)
{
	const struct pool_reader *reader = user;

	reader->on_line(reader->ctx, POOL_LINE_BAD, text);
}

static void check_file(const struct pool_reader *reader, const char *path,
		       const struct ifaddrs *machine)
{
	struct pool *pool = NULL;
	bool good = pool_check(path, &pool, on_bad_line, (void *)reader) == 0;
	char text[LINE_MAX_TEXT];
	unsigned int i;

	for (i = 0; pool && i < pool->n_endpoints; i++)
		good &= check_endpoint(reader, path, &pool->endpoints[i], machine);
	if (pool && good) {
		snprintf(text, sizeof(text), "%s: no errors; endpoints: %u", path,
			 pool->n_endpoints);
		reader->on_line(reader->ctx, POOL_FILE_GOOD, text);
	}
	if (pool && reader->on_pool)
		reader->on_pool(reader->ctx, path, pool);
	pool_free(pool);
}

static int is_pool_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	/* The broker's own configuration is in that directory too. */
	return strcmp(entry->d_name, "broker.conf") != 0 && entry->d_name[0] != '.' &&
	       len > 5 && !strcmp(entry->d_name + len - 5, ".conf");
}

/* Return: the number of files; 1 if the directory cannot be read. */
static int check_directory(const struct pool_reader *reader, const char *directory,
			   const struct ifaddrs *machine)
{
	char path[LINE_MAX_TEXT];
	struct dirent **entries;
	int n, i;

	n = scandir(directory, &entries, is_pool_file, alphasort);
	if (n < 0) {
		if (errno == ENOENT)
			return 0;
		snprintf(path, sizeof(path), "%s: %s", directory, strerror(errno));
		reader->on_line(reader->ctx, POOL_DIRECTORY_BAD, path);
		return 1;
	}
	for (i = 0; i < n; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", directory, entries[i]->d_name) <
		    PATH_MAX)
			check_file(reader, path, machine);
		free(entries[i]);
	}
	free(entries);
	return n;
}

int check_pool_files(const struct pool_reader *reader, const char *path)
{
	char user[PATH_MAX], system[PATH_MAX];
	struct ifaddrs *machine;
	int n = 0;

	if (getifaddrs(&machine) < 0)
		return -errno;
	find_directories(user, system);
	if (path)
		check_file(reader, path, machine);
	else if (*user)
		n = check_directory(reader, user, machine);
	if (!path)
		n += check_directory(reader, system, machine);
	freeifaddrs(machine);
	return n;
}

static void print_pool_error(void *user, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

int require_pool_file(const char *file, const char *consequence, char ret_path[PATH_MAX])
{
	struct pool *pool = NULL;
	int errors = pool_check(file, &pool, print_pool_error, NULL);
	char *path;

	pool_free(pool);
	if (errors) {
		print_error("%s cannot be used, %s", file, consequence);
		return -EINVAL;
	}
	path = realpath(file, NULL);
	/* The library finds no file with a longer path. */
	if (path && strlen(path) < POOL_FILE_PATH_MAX)
		strcpy(ret_path, path);
	else
		errors = -print_error("%s: %s", file,
				      strerror(path ? ENAMETOOLONG : errno));
	free(path);
	return errors;
}

static void print_checked(void *ctx, enum pool_line what, const char *text)
{
	bool *failed = ctx;

	*failed |= what == POOL_LINE_BAD || what == POOL_DIRECTORY_BAD;
	puts(text);
}

int cmd_check(int argc, char *argv[])
{
	static const struct option none[] = { { 0 } };
	char user[PATH_MAX], system[PATH_MAX];
	bool failed = false;
	const struct pool_reader reader = { .on_line = print_checked, .ctx = &failed };
	int r = 0;

	if (command_option(argc, argv, "", none) != -1)
		return EXIT_USAGE;
	if (optind == argc && (r = check_pool_files(&reader, NULL)) == 0) {
		find_directories(user, system);
		printf("no pool file in %s%s%s\n", user, *user ? " or " : "", system);
	}
	for (; optind < argc && r >= 0; optind++)
		r = check_pool_files(&reader, argv[optind]);
	if (r < 0) {
		fprintf(stderr, "mptcpaddr check: the addresses of this machine: %s\n",
			strerror(-r));
		return 1;
	}
	return fflush(stdout) || ferror(stdout) || failed ? 1 : 0;
}
