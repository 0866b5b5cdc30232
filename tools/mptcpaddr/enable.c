// SPDX-License-Identifier: MIT
/*
 * enable.c - mptcpaddr enable, mptcpaddr disable: a systemd service under the library
 *
 * A drop-in is the one file that is written and removed; the unit stays unchanged. A
 * service that cannot work is refused first, with the reason.
 */
#include "library.h"
#include "pool_files.h"
#include "program.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DROP_IN "mptcpaddr.conf"
#define HEAD	"# Written by mptcpaddr enable; mptcpaddr disable removes it.\n"

struct enable {
	const char *unit_word, *pool, *root;
	struct unit unit;
	struct program program;
	char library[PATH_MAX], pool_path[PATH_MAX];
	char directory[PATH_MAX], path[PATH_MAX]; /* of the drop-in */
	char text[3 * UNIT_TEXT_MAX], before[3 * UNIT_TEXT_MAX];
};

static int parse_enable_options(struct enable *e, int argc, char *argv[], bool with_pool)
{
	static const struct option options[] = {
		{ "pool", required_argument, NULL, 'p' },
		{ "root", required_argument, NULL, 'r' },
		{ 0 },
	};
	int c;

	e->root = "";
	while ((c = command_option(argc, argv, ":", options + !with_pool)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		*(c == 'r' ? &e->root : &e->pool) = optarg;
	}
	if (optind == argc)
		return print_usage_error(argv[0], "no unit given");
	if (optind + 1 < argc)
		return print_usage_error(argv[0], "more than one unit given");
	e->unit_word = argv[optind];
	return 0;
}

static int find_unit(struct enable *e)
{
	char name[UNIT_NAME_MAX];
	int r = unit_name(e->unit_word, name);

	if (r == 0)
		r = unit_read(e->root, name, DROP_IN, &e->unit);
	if (r == -EOPNOTSUPP)
		print_error("%s starts no program: name the service", e->unit_word);
	else if (r == -EINVAL)
		print_error("\"%s\" is not the name of a unit", e->unit_word);
	else if (r == -ENOENT)
		print_error("no unit %s; \"systemctl list-unit-files\" lists all", name);
	else if (r == -ESHUTDOWN)
		print_error("%s is masked; type: %ssystemctl unmask %s", name, AS_ROOT,
			    name);
	else if (r < 0)
		print_error("%s: %s", name, strerror(-r));
	return r;
}

/* Read the drop-in into e->before. Return: 0: none; 1; -EEXIST: not ours; -errno. */
static int read_drop_in(struct enable *e)
{
	FILE *file;

	if (snprintf(e->directory, PATH_MAX, "%s/etc/systemd/system/%s.d", e->root,
		     e->unit.name) >= PATH_MAX ||
	    snprintf(e->path, PATH_MAX, "%s/" DROP_IN, e->directory) >= PATH_MAX)
		return -ENAMETOOLONG;
	file = fopen(e->path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	e->before[fread(e->before, 1, sizeof(e->before) - 1, file)] = '\0';
	fclose(file);
	return strncmp(e->before, HEAD, strlen(HEAD)) ? -EEXIST : 1;
}

#define REFUSE(fmt, ...)                                                           \
	return -print_error("%s cannot run under the library: " fmt, e->unit.name, \
			    __VA_ARGS__)

static int check_unit(struct enable *e)
{
	const struct unit *unit = &e->unit;
	const char *path = e->program.path, *secure;
	struct obstacle obstacle;
	char start[2 * PATH_MAX];

	if (!unit->program[0])
		REFUSE("%s has no ExecStart=", unit->file);
	if (unit->root[0])
		REFUSE("it runs in its own root %s, which lacks the library", unit->root);
	if (unit->private_users)
		REFUSE("%s, without rights over the network",
		       "PrivateUsers=yes gives it a user namespace");
	if (unit->environment_file[0])
		REFUSE("%s sets LD_PRELOAD, which overrides the drop-in; add %s there",
		       unit->environment_file, e->library);
	snprintf(start, sizeof(start), "%s%s", unit->program[0] == '/' ? e->root : "",
		 unit->program);
	if (!program_resolve(start, &e->program))
		REFUSE("its program %s is missing, or is not executable", start);
	secure = unit->user ? secure_reason_of_user(path) : NULL;
	if (secure)
		REFUSE("%s is %s, so preloaded libraries are ignored", path, secure);
	if (!program_check(path, e->library, false, &obstacle))
		REFUSE("%s %s", path, obstacle.text);
	return 0;
}

/* The drop-in has no effect if the program's pool file says mptcp = no. */
static void warn_pool_off(const struct enable *e)
{
	const char *const names[] = { e->program.name, "default" };
	char path[PATH_MAX];
	struct pool_error why;
	struct pool *pool;
	size_t i;

	for (i = 0; i < 2 && !e->pool; i++) {
		if (snprintf(path, sizeof(path), "%s/etc/mptcpaddr/%s.conf", e->root,
			     names[i]) >= PATH_MAX ||
		    access(path, F_OK) < 0)
			continue;
		if (pool_load(path, &pool, &why) < 0)
			return;
		if (!pool->mptcp)
			print_error("%s says mptcp = no, so the service stays plain TCP; "
				    "write /etc/mptcpaddr/%s.conf, or use --pool",
				    path + strlen(e->root), e->program.name);
		pool_free(pool);
		return;
	}
}

/* @specifiers: "%" is one of systemd's, and stays. */
static void put_quoted(FILE *out, const char *text, bool specifiers)
{
	for (; *text; text++) {
		if (strchr("\"\\", *text))
			putc('\\', out);
		if (*text == '%' && !specifiers)
			putc('%', out);
		putc(*text, out);
	}
}

/* Environment="NAME=BEFORE:VALUE", quoted as systemd.syntax(7) says. */
static void put_variable(FILE *out, const char *name, const char *before,
			 const char *value)
{
	fprintf(out, "Environment=\"%s=", name);
	put_quoted(out, before, true);
	if (*before)
		putc(':', out);
	put_quoted(out, value, false);
	fputs("\"\n", out);
}

/* Whether a broker serves the service now, or when it starts: its unit is enabled. */
static bool has_broker(const struct enable *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!*e->root && find_broker() == 0)
		return true;
	return snprintf(path, sizeof(path),
			"%s/etc/systemd/system/multi-user.target.wants/"
			"mptcpaddrd.service",
			e->root) < PATH_MAX &&
	       lstat(path, &st) == 0;
}

static int compose_drop_in(struct enable *e)
{
	FILE *out = fmemopen(e->text, sizeof(e->text), "w");

	if (!out)
		return -errno;
	fputs(HEAD "[Service]\n", out);
	if (!library_is_listed(e->unit.preload))
		put_variable(out, "LD_PRELOAD", e->unit.preload, e->library);
	if (e->pool)
		put_variable(out, "MPTCPADDR_CONFIG", "", e->pool_path);
	if (!has_broker(e)) {
		fputs("# The path manager is in the program.\n"
		      "AmbientCapabilities=CAP_NET_ADMIN\n",
		      out);
		if (e->unit.bounded)
			fputs("CapabilityBoundingSet=CAP_NET_ADMIN\n", out);
	}
	/* systemd adds this list to the unit's. */
	if (e->unit.families)
		fputs("RestrictAddressFamilies=AF_NETLINK AF_UNIX\n", out);
	return fclose(out) ? -EIO : 0;
}

static int make_directories(const struct enable *e)
{
	char path[PATH_MAX + 1], *slash = path + strlen(e->root);

	snprintf(path, sizeof(path), "%s/", e->directory);
	for (; (slash = strchr(slash + 1, '/')); *slash = '/') {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* Readers see the whole file or none. */
static int write_drop_in(const struct enable *e)
{
	const size_t len = strlen(e->text);
	char next[PATH_MAX + 8];
	int r = make_directories(e), fd;

	if (r < 0)
		return r;
	snprintf(next, sizeof(next), "%s.next", e->path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	r = write(fd, e->text, len) == (ssize_t)len && fchmod(fd, 0644) == 0 ? 0 : -errno;
	close(fd);
	if (r == 0 && rename(next, e->path) < 0)
		r = -errno;
	if (r < 0)
		unlink(next);
	return r;
}

/* Return: 0, an exit status. */
static int print_done(const struct enable *e, const char *done)
{
	printf("%s %s\n", done, e->path);
	if (!*e->root)
		printf("type: %ssystemctl daemon-reload && %ssystemctl try-restart %s\n",
		       AS_ROOT, AS_ROOT, e->unit.name);
	return 0;
}

/* Return: 1, an exit status. */
static int print_failure(const struct enable *e, int r)
{
	return r == -EEXIST
		       ? print_error("%s was not written by mptcpaddr; left unchanged",
				     e->path)
		       : print_error("%s: %s", e->path, strerror(-r));
}

int cmd_enable(int argc, char *argv[])
{
	static struct enable e;
	const char *error;
	bool same = false;
	int r = parse_enable_options(&e, argc, argv, true);

	if (r)
		return r;
	error = library_find(e.library);
	if (error)
		return print_error("%s %s", e.library, error);
	if (find_unit(&e) < 0 || check_unit(&e) < 0 ||
	    (e.pool && require_pool_file(e.pool, "nothing was done", e.pool_path) < 0))
		return 1;
	r = read_drop_in(&e);
	if (r >= 0)
		r = compose_drop_in(&e);
	if (r == 0)
		same = !strcmp(e.before, e.text);
	if (r == 0 && !same)
		r = write_drop_in(&e);
	if (r < 0)
		return print_failure(&e, r);
	print_done(&e, same ? "already enabled by" : "wrote");
	warn_pool_off(&e);
	return 0;
}

int cmd_disable(int argc, char *argv[])
{
	static struct enable e;
	int r = parse_enable_options(&e, argc, argv, false);

	if (r)
		return r;
	/* A drop-in may remain after its unit was removed. */
	if (unit_name(e.unit_word, e.unit.name) < 0)
		return print_error("\"%s\" is not the name of a service", e.unit_word);
	r = read_drop_in(&e);
	if (r == 0)
		return printf("%s is not enabled\n", e.unit.name) < 0;
	if (r < 0 || unlink(e.path) < 0)
		return print_failure(&e, r < 0 ? r : -errno);
	rmdir(e.directory); /* fails if it holds other drop-ins */
	return print_done(&e, "removed");
}
