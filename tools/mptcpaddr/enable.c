// SPDX-License-Identifier: MIT
/*
 * enable.c - mptcpaddr enable, mptcpaddr disable: a systemd service under the library
 *
 * By a drop-in, which is the one file that is written and removed: the unit stays as
 * it is. What cannot work is refused beforehand, in plain words.
 */
#include "broker_probe.h"
#include "command.h"
#include "elf.h"
#include "finding.h"
#include "library.h"
#include "pools.h"
#include "program.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DROP_IN "mptcpaddr.conf"
#define HEAD	"# Written by mptcpaddr enable; mptcpaddr disable removes it.\n"

struct enable {
	const char *unit_word, *pool, *root;
	struct unit unit;
	struct program program;
	char library[PATH_MAX], pool_path[PATH_MAX];
	char folder[PATH_MAX], path[PATH_MAX];
	char text[3 * UNIT_TEXT_MAX];
};

static int parse(struct enable *e, int argc, char *argv[], bool with_pool)
{
	const char *command = argv[0], **value;
	int i;

	e->root = "";
	for (i = 1; i < argc; i++) {
		value = !strcmp(argv[i], "--root")		  ? &e->root
			: with_pool && !strcmp(argv[i], "--pool") ? &e->pool
								  : NULL;
		if (value && i + 1 == argc)
			return usage_error(command, "%s wants a value", argv[i]);
		if (value)
			*value = argv[++i];
		else if (argv[i][0] == '-')
			return usage_error(command, "there is no option %s", argv[i]);
		else if (e->unit_word)
			return usage_error(command, "one unit at a time");
		else
			e->unit_word = argv[i];
	}
	if (!e->unit_word)
		return usage_error(command, "which unit?");
	return 0;
}

static int find_unit(struct enable *e)
{
	char name[UNIT_NAME_MAX];
	int r = unit_name(e->unit_word, name);

	if (r == 0)
		r = unit_read(e->root, name, DROP_IN, &e->unit);
	if (r == -EOPNOTSUPP)
		say("%s starts no program: name the service", e->unit_word);
	else if (r == -EINVAL)
		say("\"%s\" is not the name of a unit", e->unit_word);
	else if (r == -ENOENT)
		say("there is no unit %s; \"systemctl list-unit-files\" shows which "
		    "there are",
		    name);
	else if (r == -ESHUTDOWN)
		say("%s is masked; type: %ssystemctl unmask %s", name, AS_ROOT, name);
	else if (r < 0)
		say("%s: %s", name, strerror(-r));
	return r;
}

static int place(struct enable *e, const char *name)
{
	int n = snprintf(e->folder, PATH_MAX, "%s/etc/systemd/system/%s.d", e->root,
			 name);

	if (n < PATH_MAX)
		n = snprintf(e->path, PATH_MAX, "%s/" DROP_IN, e->folder);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Whether the drop-in is there. Return: 0: no; 1: it is ours; -EEXIST: it is not. */
static int look(const struct enable *e, char *text, size_t size)
{
	FILE *file = fopen(e->path, "re");
	size_t n;

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
	return strncmp(text, HEAD, strlen(HEAD)) ? -EEXIST : 1;
}

#define CANNOT(why, ...)                                                                 \
	do {                                                                             \
		say("%s cannot run under the library: " why, e->unit.name, __VA_ARGS__); \
		return -EINVAL;                                                          \
	} while (0)

/* Secure mode (AT_SECURE): what the file gives its user, root has already. */
static const char *secured(const struct enable *e, const char *path)
{
	struct stat st;

	if (!e->unit.user || stat(path, &st) < 0)
		return NULL;
	if (st.st_mode & S_ISUID)
		return "setuid";
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		return "setgid";
	return getxattr(path, "security.capability", NULL, 0) > 0
		       ? "a program with file capabilities"
		       : NULL;
}

static int judge_binary(struct enable *e, const struct program *program)
{
	struct binary binary, library;
	const char *libc, *reason = secured(e, program->path);

	if (reason)
		CANNOT("%s is %s, and the system keeps preloaded libraries out of it",
		       program->path, reason);
	if (binary_read(program->path, &binary) < 0 ||
	    binary_read(e->library, &library) < 0)
		return 0; /* nobody knows */
	if (!binary_same_kind(&binary, &library))
		CANNOT("%s is a program of another kind, %s", program->path,
		       binary_kind(&binary));
	if (binary.go)
		CANNOT("%s is a Go program, which makes its system calls itself",
		       program->path);
	if (!binary.loads_libraries)
		CANNOT("%s is a static program, which loads no library", program->path);
	libc = binary_foreign_libc(&binary);
	if (libc)
		CANNOT("%s uses another C library (%s)", program->path, libc);
	return 0;
}

static int judge(struct enable *e)
{
	char path[2 * PATH_MAX];

	if (!e->unit.program[0])
		CANNOT("%s has no ExecStart=", e->unit.file);
	if (e->unit.root[0])
		CANNOT("it runs in a root of its own, %s, where the library is not",
		       e->unit.root);
	if (e->unit.private_users)
		CANNOT("%s, where it has no rights over the network",
		       "PrivateUsers=yes gives it a user namespace");
	if (e->unit.environment_file[0])
		CANNOT("%s sets LD_PRELOAD, and that comes last; put %s there",
		       e->unit.environment_file, e->library);
	snprintf(path, sizeof(path), "%s%s", e->unit.program[0] == '/' ? e->root : "",
		 e->unit.program);
	if (program_resolve(path, &e->program) < 0)
		CANNOT("its program %s is not there, or cannot be run", path);
	return judge_binary(e, &e->program);
}

static void on_error(void *user, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

static int take_pool(struct enable *e)
{
	struct pool *pool = NULL;
	int errors;

	if (!e->pool)
		return 0;
	errors = pools_check(e->pool, &pool, on_error, NULL);
	pool_free(pool);
	if (errors) {
		say("%s cannot be used, nothing was done", e->pool);
		return -EINVAL;
	}
	if (!realpath(e->pool, e->pool_path)) {
		say("%s: %s", e->pool, strerror(errno));
		return -EINVAL;
	}
	return 0;
}

/* Return: whether there is such a file; then *@ret_off: it says mptcp = no. */
static bool reads_pool(const struct enable *e, const char *name, char ret_path[PATH_MAX],
		       bool *ret_off)
{
	struct pool_error why;
	struct pool *pool;

	if (snprintf(ret_path, PATH_MAX, "%s/etc/mptcpaddr/%s.conf", e->root, name) >=
		    PATH_MAX ||
	    access(ret_path, F_OK) < 0)
		return false;
	if (pool_load(ret_path, &pool, &why) < 0)
		return true;
	*ret_off = !pool->mptcp;
	pool_free(pool);
	return true;
}

/* The drop-in is right, and the service is left alone all the same. */
static void tell_pool_off(const struct enable *e)
{
	char path[PATH_MAX];
	bool off = false;

	if (!e->pool && !reads_pool(e, e->program.name, path, &off))
		reads_pool(e, "default", path, &off);
	if (off)
		say("%s says mptcp = no, so the service stays plain TCP; write "
		    "/etc/mptcpaddr/%s.conf, or use --pool",
		    path + strlen(e->root), e->program.name);
}

/* A line Environment="NAME=VALUE", as systemd.syntax(7) wants it quoted. */
static void add_variable(FILE *out, const char *name, const char *before,
			 const char *value)
{
	const char *parts[] = { before, *before ? ":" : "", value };
	size_t i;

	fprintf(out, "Environment=\"%s=", name);
	for (i = 0; i < 3; i++) {
		const char *c;

		for (c = parts[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				putc('\\', out);
			putc(*c, out);
			/* A specifier. What the unit has may be one, and stays. */
			if (*c == '%' && i == 2)
				putc(*c, out);
		}
	}
	fputs("\"\n", out);
}

static bool preloads_already(const struct enable *e)
{
	const char *at = strstr(e->unit.preload, LIBRARY);
	char behind = at ? at[strlen(LIBRARY)] : '\0';

	return at && (at == e->unit.preload || strchr("/ :", at[-1])) &&
	       (!behind || behind == ':' || behind == ' ');
}

/* Now, or when the service starts: then its unit is enabled. */
static bool is_brokered(const struct enable *e)
{
	char path[PATH_MAX];
	struct stat st;
	uid_t uid;

	if (!*e->root && broker_find(&uid) == 0 && uid == 0)
		return true;
	return snprintf(path, sizeof(path),
			"%s/etc/systemd/system/multi-user.target.wants/"
			"mptcpaddrd.service",
			e->root) < PATH_MAX &&
	       lstat(path, &st) == 0;
}

static int compose(struct enable *e)
{
	FILE *out = fmemopen(e->text, sizeof(e->text), "w");
	if (!out)
		return -errno;
	fputs(HEAD "[Service]\n", out);
	if (!preloads_already(e))
		add_variable(out, "LD_PRELOAD", e->unit.preload, e->library);
	if (e->pool)
		add_variable(out, "MPTCPADDR_CONFIG", "", e->pool_path);
	if (!is_brokered(e)) {
		fputs("# The path manager is in the program.\n"
		      "AmbientCapabilities=CAP_NET_ADMIN\n",
		      out);
		if (e->unit.bounded)
			fputs("CapabilityBoundingSet=CAP_NET_ADMIN\n", out);
	}
	/* A list of its own is added to that of the unit. */
	if (e->unit.families)
		fputs("RestrictAddressFamilies=AF_NETLINK AF_UNIX\n", out);
	return fclose(out) ? -EIO : 0;
}

static int make_folders(const struct enable *e)
{
	char path[PATH_MAX];
	size_t i;

	snprintf(path, sizeof(path), "%s", e->folder);
	for (i = strlen(e->root) + 1; path[i]; i++) {
		if (path[i] != '/')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		path[i] = '/';
	}
	return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* The whole file or none, whenever somebody looks. */
static int put(const struct enable *e)
{
	char next[PATH_MAX + 8];
	int r = make_folders(e), fd;
	size_t len = strlen(e->text);

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

static void say_next(const struct enable *e, const char *done)
{
	printf("%s %s\n", done, e->path);
	if (!*e->root)
		printf("type: %ssystemctl daemon-reload && %ssystemctl try-restart %s\n",
		       AS_ROOT, AS_ROOT, e->unit.name);
}

int cmd_enable(int argc, char *argv[])
{
	static struct enable e;
	static char before[sizeof(e.text)];
	int r = parse(&e, argc, argv, true), is;

	if (r)
		return r;
	r = library_find(e.library);
	if (r < 0) {
		say("%s %s", e.library, library_error(r));
		return 1;
	}
	if (find_unit(&e) < 0 || judge(&e) < 0 || take_pool(&e) < 0)
		return 1;
	r = place(&e, e.unit.name);
	is = r < 0 ? r : look(&e, before, sizeof(before));
	if (is >= 0)
		r = compose(&e);
	if (is == 1 && r == 0 && !strcmp(before, e.text)) {
		say_next(&e, "there already:");
		tell_pool_off(&e);
		return 0;
	}
	if (is >= 0 && r == 0)
		r = put(&e);
	if (is == -EEXIST)
		say("%s is not this tool's: it stays as it is", e.path);
	else if (is < 0 || r < 0)
		say("%s: %s", e.path, strerror(is < 0 ? -is : -r));
	if (is < 0 || r < 0)
		return 1;
	say_next(&e, "wrote");
	tell_pool_off(&e);
	return 0;
}

int cmd_disable(int argc, char *argv[])
{
	static struct enable e;
	static char before[sizeof(e.text)];
	int r = parse(&e, argc, argv, false);

	if (r)
		return r;
	/* The unit itself may be gone by now: its drop-in can go all the same. */
	if (unit_name(e.unit_word, e.unit.name) < 0) {
		say("\"%s\" is not the name of a service", e.unit_word);
		return 1;
	}
	r = place(&e, e.unit.name);
	if (r == 0)
		r = look(&e, before, sizeof(before));
	if (r == 0) {
		printf("%s is not enabled\n", e.unit.name);
		return 0;
	}
	if (r == 1)
		r = unlink(e.path) < 0 ? -errno : 0;
	if (r < 0) {
		say("%s: %s", e.path,
		    r == -EEXIST ? "not this tool's: it stays" : strerror(-r));
		return 1;
	}
	rmdir(e.folder); /* fails, as it must, where something else is in it */
	say_next(&e, "removed");
	return 0;
}
