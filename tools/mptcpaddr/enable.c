// SPDX-License-Identifier: MIT
/*
 * enable.c - mptcpaddr service add, remove: a systemd service under the library
 *
 * A drop-in is the one file that is written and removed; the unit stays unchanged. A
 * service that cannot work is refused first, with the reason.
 */
#include "checks.h"
#include "mptcpaddr/pool.h"
#include "program.h"
#include "supervise.h"
#include "tools/common/broker_command.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITTEN "# Written by mptcpaddr " /* of every version */
#define HEAD	WRITTEN "service add; mptcpaddr service remove removes it.\n"

struct enable {
	const char *unit_word, *pool;
	struct unit unit;
	struct program program;
	struct obstacle obstacle;
	bool supervised;
	const char *refusal; /* why a Go program is not supervised, but adopted */
	char library[PATH_MAX], pool_path[PATH_MAX];
	char path[2 * PATH_MAX]; /* of the drop-in */
	char text[3 * SETTING_MAX], before[3 * SETTING_MAX];
};

static int parse_enable_options(struct enable *e, int argc, char *argv[], bool with_pool)
{
	static const struct option options[] = {
		{ "pool", required_argument, NULL, 'p' },
		{ "root", required_argument, NULL, 'r' },
		{ 0 },
	};
	int c;

	e->unit.root = "";
	while ((c = command_option(argc, argv, ":", options + !with_pool)) != -1) {
		if (c == '?')
			return EXIT_USAGE;
		*(c == 'r' ? &e->unit.root : &e->pool) = optarg;
	}
	if (optind == argc)
		return print_usage_error(argv[0], "no unit given");
	if (optind + 1 < argc)
		return print_usage_error(argv[0], "more than one unit given");
	e->unit_word = argv[optind];
	return 0;
}

/* Return: 0, or -errno after an error was printed. */
static int find_unit(struct enable *e)
{
	const char *name = e->unit.name;
	int r = unit_set_name(&e->unit, e->unit_word);

	if (r == 0)
		r = unit_read(&e->unit);
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

	snprintf(e->path, sizeof(e->path), "%s/etc/systemd/system/%s.d/" DROP_IN,
		 e->unit.root, e->unit.name);
	file = fopen(e->path, "re");
	if (!file)
		return errno == ENOENT ? 0 : -errno;
	e->before[fread(e->before, 1, sizeof(e->before) - 1, file)] = '\0';
	fclose(file);
	return strncmp(e->before, WRITTEN, strlen(WRITTEN)) ? -EEXIST : 1;
}

#define REFUSE(fmt, ...)                                                          \
	return print_error("%s cannot run under the library: " fmt, e->unit.name, \
			   __VA_ARGS__)

/* Why the supervisor cannot start the unit's program; NULL: it can. */
static const char *supervision_obstacle(const struct unit *unit,
					const struct obstacle *obstacle)
{
	const size_t prefixes = strspn(unit->start, START_PREFIXES);

	if (!obstacle->is_supervisable)
		return "it is for another machine";
	if (unit->starts > 1)
		return "there is more than one ExecStart=";
	if (memchr(unit->start, '@', prefixes))
		return "ExecStart=@ names it";
	if (unit->forks && !unit->pid_file)
		return "Type=forking without PIDFile= allows one process only";
	if (unit->no_exec)
		return "NoExecPaths= may forbid the supervisor";
	return *unit->root ? NULL : supervise_lacks();
}

/* Return: 0, or 1 after an error was printed. */
static int check_unit(struct enable *e)
{
	const struct unit *unit = &e->unit;
	const char *path = e->program.path, *secure, *why;
	char start[2 * PATH_MAX];

	if (!unit->program[0])
		REFUSE("%s has no ExecStart=", unit->file);
	if (unit->own_root[0])
		REFUSE("it runs in its own root %s, which lacks the library",
		       unit->own_root);
	if (unit->private_users)
		REFUSE("%s, without rights over the network",
		       "PrivateUsers=yes gives it a user namespace");
	if (unit->environment_file[0])
		REFUSE("%s sets LD_PRELOAD, which overrides the drop-in; add %s there",
		       unit->environment_file, e->library);
	snprintf(start, sizeof(start), "%s%s", unit->program[0] == '/' ? unit->root : "",
		 unit->program);
	if (!program_resolve(start, &e->program))
		REFUSE("its program %s is missing, or is not executable", start);
	secure = unit->user ? secure_reason_of_user(path) : NULL;
	if (secure)
		REFUSE("%s is %s, so preloaded libraries are ignored", path, secure);
	if (program_check(path, e->library, false, &e->obstacle))
		return 0;
	why = supervision_obstacle(unit, &e->obstacle);
	if (why && !e->obstacle.is_go)
		REFUSE("%s %s, and cannot be supervised: %s", path, e->obstacle.text,
		       why);
	e->supervised = !why;
	e->refusal = why;
	return 0;
}

/* Which way it goes; the broker's administrator has to agree to the second one. */
static void print_way(const struct enable *e)
{
	if (e->supervised)
		printf("%s %s: the unit starts it by \"mptcpaddr run --supervise\"\n",
		       e->program.path, e->obstacle.text);
	if (e->supervised && e->unit.user)
		printf("no_new_privs: setuid programs that it starts gain no rights\n");
	if (e->refusal)
		printf("%s %s, and cannot be supervised: %s. The broker can adopt its "
		       "connections if it was built with Go 1.21 or later; add to "
		       "/etc/mptcpaddr/broker.conf:\n"
		       "[broker]\nadopt = yes\n[program \"unit:%s\"]\npool = %s\n",
		       e->program.path, e->obstacle.text, e->refusal, e->unit.name,
		       e->pool ? e->pool_path : "/etc/mptcpaddr/NAME.conf");
}

/* The drop-in has no effect if the program's pool file says mptcp = no. */
static void warn_pool_off(const struct enable *e)
{
	static const char format[] = "%s/etc/mptcpaddr/%s.conf";
	const char *root = e->unit.root, *name = e->program.name;
	char path[2 * PATH_MAX];
	struct pool_error why;
	struct pool *pool;

	snprintf(path, sizeof(path), format, root, name);
	if (access(path, F_OK) < 0)
		snprintf(path, sizeof(path), format, root, "default");
	if (e->pool || pool_load(path, &pool, &why) < 0)
		return;
	if (!pool->mptcp)
		print_error("%s says mptcp = no, so the service stays plain TCP; write "
			    "/etc/mptcpaddr/%s.conf, or use --pool",
			    path + strlen(root), name);
	pool_free(pool);
}

/* Whether a broker serves the service now, or when it starts: its unit is enabled. */
static bool has_broker(const char *root)
{
	char path[2 * PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path),
		 "%s/etc/systemd/system/multi-user.target.wants/mptcpaddrd.service",
		 root);
	return (!*root && find_broker()) || lstat(path, &st) == 0;
}

/* Ambient capabilities end with root's user ID. */
static void warn_drops_root(const struct enable *e)
{
	struct binary binary;

	if (!e->unit.user && !e->supervised && !has_broker(e->unit.root) &&
	    !binary_read(e->program.path, &binary) && binary.sets_groups)
		print_error("%s may drop root's rights, and then has no pool without the "
			    "broker; type: %ssystemctl enable --now mptcpaddrd",
			    e->unit.name, AS_ROOT);
}

/* @escape: "%", too, which starts a specifier of systemd. */
static void put_quoted(FILE *out, const char *text, bool escape)
{
	for (; *text; text++)
		fprintf(out, "%s%c",
			strchr("\"\\", *text)	 ? "\\"
			: *text == '%' && escape ? "%"
						 : "",
			*text);
}

/* Environment="NAME=BEFORE,VALUE", quoted as systemd.syntax(7) says. */
static void put_variable(FILE *out, const char *name, const char *before, char between,
			 const char *value)
{
	fprintf(out, "Environment=\"%s=", name);
	put_quoted(out, before, false);
	if (*before)
		putc(between, out);
	put_quoted(out, value, true);
	fputs("\"\n", out);
}

/* systemd runs the first ExecStart= only, unless an empty one precedes the next. */
static void put_supervised(FILE *out, const struct unit *unit)
{
	const int prefixes = strspn(unit->start, START_PREFIXES);
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	fprintf(out, "ExecStart=\nExecStart=%.*s%s run --supervise -- %s\n", prefixes,
		unit->start, self, unit->start + prefixes);
	/* It adds these to the list, whatever that is. */
	if (unit->filters)
		fputs("SystemCallFilter=seccomp pidfd_open pidfd_getfd "
		      "process_vm_readv\n",
		      out);
}

static int compose_drop_in(struct enable *e)
{
	FILE *out = fmemopen(e->text, sizeof(e->text), "w");

	if (!out)
		return -errno;
	fputs(HEAD "[Service]\n", out);
	if (e->supervised)
		put_supervised(out, &e->unit);
	else if (e->refusal && !strstr(e->unit.godebug, "multipathtcp="))
		put_variable(out, "GODEBUG", e->unit.godebug, ',', "multipathtcp=1");
	else if (!e->refusal && !library_is_listed(e->unit.preload))
		put_variable(out, "LD_PRELOAD", e->unit.preload, ':', e->library);
	if (e->pool)
		put_variable(out, "MPTCPADDR_CONFIG", "", 0, e->pool_path);
	if (!has_broker(e->unit.root) && !e->refusal) {
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

static int make_directories(char *path, size_t root_len)
{
	char *slash = path + root_len;
	int r = 0;

	while (r == 0 && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
	}
	return r;
}

/* Readers see the whole file or none. */
static int write_drop_in(struct enable *e)
{
	const size_t len = strlen(e->text);
	char next[sizeof(e->path) + 8];
	int r = make_directories(e->path, strlen(e->unit.root)), fd;

	if (r < 0)
		return r;
	snprintf(next, sizeof(next), "%s.next", e->path);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, e->text, len) != (ssize_t)len || fchmod(fd, 0644) < 0 ||
	    rename(next, e->path) < 0) {
		r = errno ? -errno : -EIO;
		unlink(next);
	}
	close(fd);
	return r;
}

/* Return: 0, or 1 after error @r: an exit status. */
static int print_result(const struct enable *e, int r, const char *done)
{
	if (r == -EEXIST)
		return print_error("%s was not written by mptcpaddr; left unchanged",
				   e->path);
	if (r < 0)
		return print_error("%s: %s%s", e->path, strerror(-r),
				   r == -EACCES && geteuid() ? "; use sudo" : "");
	printf("%s %s\n", done, e->path);
	if (!*e->unit.root)
		printf("type: %ssystemctl daemon-reload && %ssystemctl try-restart %s\n",
		       AS_ROOT, AS_ROOT, e->unit.name);
	return 0;
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
	if (find_unit(&e) || check_unit(&e) ||
	    (e.pool && require_pool_file(e.pool, "nothing was done", e.pool_path) < 0))
		return 1;
	r = read_drop_in(&e);
	if (r >= 0)
		r = compose_drop_in(&e);
	if (r == 0)
		same = !strcmp(e.before, e.text);
	if (r == 0 && !same)
		r = write_drop_in(&e);
	if (r == 0)
		print_way(&e);
	r = print_result(&e, r, same ? "already enabled by" : "wrote");
	if (r)
		return r;
	warn_pool_off(&e);
	warn_drops_root(&e);
	return 0;
}

int cmd_disable(int argc, char *argv[])
{
	static struct enable e;
	int r = parse_enable_options(&e, argc, argv, false);

	if (r)
		return r;
	/* A drop-in may remain after its unit was removed. */
	if (unit_set_name(&e.unit, e.unit_word) < 0)
		return print_error("\"%s\" is not the name of a service", e.unit_word);
	r = read_drop_in(&e);
	if (r == 0)
		return printf("%s is not enabled\n", e.unit.name) < 0;
	if (r > 0 && unlink(e.path) < 0)
		r = -errno;
	r = print_result(&e, r, "removed");
	if (r == 0) {
		*strrchr(e.path, '/') = '\0';
		rmdir(e.path); /* fails if it holds other drop-ins */
	}
	return r;
}

int cmd_service(int argc, char *argv[])
{
	static char add[] = "service add", remove[] = "service remove";
	const char *verb = argc > 1 ? argv[1] : "";
	const bool adds = !strcmp(verb, "add");

	if (!*verb)
		return print_usage_error("service", "add or remove?");
	if (!adds && strcmp(verb, "remove") != 0)
		return print_usage_error("service",
					 "unknown word \"%s\": not add or remove", verb);
	argv[1] = adds ? add : remove;
	return adds ? cmd_enable(argc - 1, argv + 1) : cmd_disable(argc - 1, argv + 1);
}
