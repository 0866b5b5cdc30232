// SPDX-License-Identifier: MIT
/*
 * doctor.c - mptcpaddr doctor: find what hinders programs under the library here;
 * mptcpaddr check: find errors in pool files
 *
 * Checks and never changes anything.
 */
#include "doctor.h"
#include "counters.h"
#include "program.h"

#include "mptcpaddr/pm.h"
#include "mptcpaddr/pool.h"
#include "shim/preload/pool_file.h"
#include "tools/mptcpaddrd/policy.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER	    "libmptcpaddr-pm.so"
#define SINCE_MAX_S 600
#define SYSTEM_DIR  "/etc/mptcpaddr"
#define POOL_KINDS                                                \
	(MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_SIGNAL | \
	 MPTCP_PM_ADDR_FLAG_FULLMESH | MPTCP_PM_ADDR_FLAG_LAMINAR)

/* Whether @addr is on the interface, or on any if @if_idx is 0. */
static bool has_address(const struct rtnl_table *machine, int if_idx,
			const struct mpaddr *addr)
{
	unsigned int i;

	for (i = 0; i < machine->n_addrs; i++)
		if (mpaddr_same_ip(&machine->addrs[i].addr, addr) &&
		    (!if_idx || machine->addrs[i].if_idx == if_idx))
			return true;
	return false;
}

/* No packet is sent there; of a section for a prefix, an address in it. */
static struct mpaddr remote_of(const struct pool *pool, const struct endpoint *ep,
			       uint16_t family)
{
	const struct mpprefix *prefix = &pool->sections[ep->section].prefix;
	struct mpaddr remote;

	mpaddr_parse(family == AF_INET ? "1.1.1.1" : "2606:4700:4700::1111", &remote);
	if (prefix->addr.family == family)
		remote = prefix->addr;
	if (prefix->addr.family == family && prefix->len < (family == AF_INET ? 32 : 128))
		remote.ip[family == AF_INET ? 3 : 15] |= 1;
	return remote;
}

static void add_pool_device(struct devices *devices, const char *name)
{
	unsigned int i;

	for (i = 0; i < devices->n; i++)
		if (!strcmp(devices->names[i], name))
			return;
	if (*name && i < DEVICES_MAX)
		strcpy(devices->names[devices->n++], name);
}

/* What hinders the programs of this machine; no error of the file */
PRINTF_LIKE(2, 3)
static void report_route(struct pool_files *files, const char *fmt, ...)
{
	char text[PATH_MAX + 256], *remedy;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (files->findings.by == FOUND_BY_CHECK) {
		report_ok(&files->findings, "%s", text);
		return;
	}
	remedy = strrchr(text, ':');
	report_problem(&files->findings, "%.*s\ndo:%s", (int)(remedy - text), text,
		       remedy + 1);
}

/* By which interface do packets from @on leave? */
static void check_route(struct pool_files *files, const struct pool *pool,
			const char *path, const struct endpoint *ep,
			const struct rtnl_address *on)
{
	const struct mpaddr remote = remote_of(pool, ep, on->addr.family);
	const int link = rtnl_find_link(&on->addr, &remote, ep->dev[0] ? on->if_idx : 0);
	const bool routed = pool->sections[ep->section].prefix.addr.family == AF_UNSPEC;
	char addr[MPADDR_TEXT_MAX], to[MPADDR_TEXT_MAX];
	char left[IF_NAMESIZE] = "?", has[IF_NAMESIZE] = "?";
	struct mpaddr any;

	if_indextoname(on->if_idx, has);
	if_indextoname(link, left);
	mpaddr_text(&on->addr, addr);
	snprintf(to, sizeof(to), "the Internet");
	if (!routed)
		mpaddr_text(&remote, to);
	if (link == on->if_idx && files->findings.by == FOUND_BY_DOCTOR)
		report_ok(&files->findings, "%s:%u: packets from %s to %s leave by %s",
			  path, ep->line, addr, to, has);
	else if (link && link != on->if_idx)
		report_route(files,
			     "%s:%u: packets from %s to %s leave by %s, but %s has the "
			     "address: append \"dev %s\"",
			     path, ep->line, addr, to, left, has, has);
	/* A machine without the Internet needs no such route. */
	else if (!link && (files->findings.by == FOUND_BY_CHECK ||
			   rtnl_find_source(&remote, &any)))
		report_route(files,
			     "%s:%u: no route from %s (%s) to %s: add a default route "
			     "over %s",
			     path, ep->line, addr, has, to, has);
}

static bool is_link_up(const struct rtnl_table *machine, int if_idx)
{
	unsigned int i;

	for (i = 0; i < machine->n_links; i++)
		if (machine->links[i].if_idx == if_idx)
			return machine->links[i].up;
	return false;
}

/* Its packets stay on this machine. */
static bool leads_nowhere(const struct rtnl_table *machine, const struct endpoint *ep)
{
	const struct mpaddr_range *range =
		ep->addr.family ? mpaddr_range(&ep->addr) : NULL;
	unsigned int i;

	for (i = 0; *ep->dev && i < machine->n_links; i++)
		if (!strcmp(machine->links[i].dev, ep->dev))
			return machine->links[i].inner;
	return range && range->kind == MPADDR_LOOPBACK;
}

/* Of a device, one of each family would do, but they may differ. */
static uint16_t device_family(const struct rtnl_table *machine, int if_idx)
{
	const struct rtnl_address *on;

	for (on = machine->addrs; on < machine->addrs + machine->n_addrs; on++)
		if (on->if_idx == if_idx && on->addr.family == AF_INET)
			return AF_INET;
	return AF_INET6;
}

static void check_routes(struct pool_files *files, const struct pool *pool,
			 const char *path, const struct endpoint *ep)
{
	const struct rtnl_table *machine = &files->machine;
	const int if_idx = if_nametoindex(ep->dev);
	const bool doctor = files->findings.by == FOUND_BY_DOCTOR;
	const struct mpaddr_range *range;
	const struct rtnl_address *on;
	char has[MPADDR_TEXT_MAX];

	if (ep->dev[0] && !if_idx)
		return;
	if (leads_nowhere(machine, ep))
		return report_route(
			files, "%s:%u: %s leads to no other host: name an uplink", path,
			ep->line, *ep->dev ? ep->dev : mpaddr_text(&ep->addr, has));
	for (on = machine->addrs; on < machine->addrs + machine->n_addrs; on++) {
		range = mpaddr_range(&on->addr);
		if ((range && range->kind != MPADDR_PRIVATE) ||
		    (doctor && !is_link_up(machine, on->if_idx)))
			continue;
		if (!(ep->addr.family ? mpaddr_same_ip(&on->addr, &ep->addr) &&
						(!if_idx || on->if_idx == if_idx)
				      : on->if_idx == if_idx &&
						on->addr.family ==
							device_family(machine, if_idx)))
			continue;
		if (if_indextoname(on->if_idx, has))
			add_pool_device(&files->devices, has);
		/* The server's answers to joins leave as the kernel's routes say. */
		if (!doctor || ep->flags & ~(uint32_t)MPTCP_PM_ADDR_FLAG_SIGNAL)
			check_route(files, pool, path, ep, on);
	}
}

/* Return: whether it can be used now. */
static bool check_endpoint(struct pool_files *files, const char *path,
			   const struct endpoint *ep)
{
	const struct rtnl_table *machine = &files->machine;
	const char *what = ep->dev, *kind = "an interface", *of = "this machine";
	const int if_idx = if_nametoindex(ep->dev);
	char addr[MPADDR_TEXT_MAX];
	struct mpaddr ip = ep->addr;

	ip.port = 0;
	if (!ep->dev[0] || if_idx) {
		if (ip.family == AF_UNSPEC || has_address(machine, if_idx, &ip))
			return true;
		what = mpaddr_text(&ip, addr);
		kind = "an address";
		if (has_address(machine, 0, &ip))
			of = ep->dev;
	}
	report_problem(&files->findings,
		       "%s:%u: %s is not %s of %s (now)\n"
		       "do: connect that uplink, or correct the line; \"ip address\" "
		       "lists the addresses",
		       path, ep->line, what, kind, of);
	if (files->findings.by == FOUND_BY_CHECK)
		files->findings.problems--; /* no error of the file */
	return false;
}

static void on_bad_line(void *user, const char *text)
{
	struct pool_files *files = user;
	char *before = files->bad_lines;

	if (asprintf(&files->bad_lines, "%s%s\n", before ?: "", text) < 0)
		files->bad_lines = NULL;
	free(before);
	/* Once per file */
	report_problem(&files->findings, "%s%s\ndo: fix it, see mptcpaddr.conf(5)", text,
		       files->findings.by == FOUND_BY_CHECK || files->is_bad
			       ? ""
			       : POOL_REJECTED);
	files->is_bad = true;
}

static void check_file(struct pool_files *files, const char *path)
{
	struct pool *pool = NULL;
	uint32_t flags = 0;
	unsigned int i;
	bool good;

	files->is_bad = false;
	good = pool_check(path, &pool, on_bad_line, files) == 0;

	for (i = 0; pool && i < pool->n_endpoints; i++) {
		flags |= pool->endpoints[i].flags;
		good &= check_endpoint(files, path, &pool->endpoints[i]);
		check_routes(files, pool, path, &pool->endpoints[i]);
		add_pool_device(&files->devices, pool->endpoints[i].dev);
	}
	if (pool && good)
		report_ok(&files->findings, "%s: no errors; endpoints: %u", path,
			  pool->n_endpoints);
	files->on += pool && pool->mptcp && !files->is_bad;
	files->has_subflow |= flags & MPTCP_PM_ADDR_FLAG_SUBFLOW;
	if ((flags & POOL_KINDS) == MPTCP_PM_ADDR_FLAG_LAMINAR)
		snprintf(files->laminar_path, sizeof(files->laminar_path), "%s", path);
	if (pool && !pool->mptcp && !files->is_bad) {
		files->off++;
		snprintf(files->off_path, sizeof(files->off_path), "%s", path);
		if (files->findings.by == FOUND_BY_DOCTOR)
			report_ok(&files->findings,
				  "%s leaves its programs plain TCP (mptcp = no)", path);
	}
	if (pool && files->findings.by == FOUND_BY_CHECK) {
		check_slips(&files->findings, path);
		if (pool->quota && !(flags & ENDPOINT_METERED))
			report_ok(&files->findings,
				  "%s: \"quota\" has no effect without a \"metered\" "
				  "endpoint",
				  path);
	}
	pool_free(pool);
}

static int is_pool_file(const struct dirent *entry)
{
	/* The broker's own configuration is in that directory too. */
	return fnmatch("?*.conf", entry->d_name, FNM_PERIOD) == 0 &&
	       strcmp(entry->d_name, "broker.conf") != 0;
}

/* Return: the number of files; 1 if the directory cannot be read. */
static int check_directory(struct pool_files *files, const char *directory)
{
	struct dirent **entries;
	char path[PATH_MAX];
	int n = scandir(directory, &entries, is_pool_file, alphasort), i;

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n < 0) {
		report_problem(&files->findings,
			       "%s: %m\ndo: make it a directory that your user can read; "
			       "until then none of its pool files is found",
			       directory);
		return 1;
	}
	for (i = 0; i < n; i++) {
		if (snprintf(path, PATH_MAX, "%s/%s", directory, entries[i]->d_name) <
		    PATH_MAX)
			check_file(files, path);
		free(entries[i]);
	}
	free(entries);
	return n;
}

/*
 * Check @path; NULL: every file that programs may find.
 *
 * Return: -errno if the addresses of this machine cannot be read; else 0, or the number
 * of files found.
 */
static int check_pool_files(struct pool_files *files, const char *path)
{
	int r = rtnl_read_table(&files->machine);
	char user[POOL_FILE_PATH_MAX];
	size_t len;

	if (r < 0)
		return r;
	len = pool_file_user_dir(user);
	user[len ? len - 1 : 0] = '\0'; /* without the slash */
	if (path) {
		check_file(files, path);
	} else {
		if (len)
			r = check_directory(files, user);
		r += check_directory(files, SYSTEM_DIR);
		if (!r && files->findings.by == FOUND_BY_CHECK)
			report_ok(&files->findings, "no pool file in %s%s" SYSTEM_DIR,
				  user, len ? " or " : "");
	}
	rtnl_free_table(&files->machine);
	return r;
}

static void print_pool_error(void *user, const char *text)
{
	fprintf(stderr, "%s\n", text);
}

int require_pool_file(const char *file, const char *consequence, char ret_path[PATH_MAX])
{
	struct pool *pool = NULL;
	int errors = pool_check(file, &pool, print_pool_error, NULL);

	pool_free(pool);
	if (errors)
		return -print_error("%s cannot be used, %s", file, consequence);
	if (!realpath(file, ret_path))
		return -print_error("%s: %s", file, strerror(errno));
	/* The library finds no file with a longer path. */
	if (strlen(ret_path) >= POOL_FILE_PATH_MAX)
		return -print_error("%s: %s", file, strerror(ENAMETOOLONG));
	return 0;
}

/* The file @name, or that of the program; NULL: all. Return: as check_pool_files(). */
static int check_argument(struct pool_files *files, const char *name)
{
	static struct program program;
	char path[POOL_FILE_PATH_MAX], *file;
	bool known;
	int fd;

	if (!name || strchr(name, '/') || access(name, F_OK) == 0)
		return check_pool_files(files, name);
	known = program_resolve(name, &program);
	fd = pool_file_open(known ? program.name : name, path);
	if (fd >= 0)
		close(fd);
	file = basename(path);
	/* Not default.conf for the name of a file that is misspelled. */
	if (!known && (fd == -ENOENT || strncmp(file, name, strlen(name)) != 0 ||
		       strcmp(file + strlen(name), ".conf") != 0)) {
		report_problem(&files->findings,
			       "%s: no such file, and no program of that name", name);
		return 0;
	}
	if (known)
		name = program.name;
	if (fd == -ENOENT) {
		report_ok(&files->findings, "%s has no pool file", name);
		return 0;
	}
	report_ok(&files->findings, "%s uses %s", name, path);
	return check_pool_files(files, path);
}

/* The broker's, with the pools that it names. Return: 0; -errno. */
static int check_broker_file(struct pool_files *files, const char *path)
{
	static struct policy policy;
	unsigned int i;
	int r = 0;

	if (!path && access(POLICY_FILE, F_OK) < 0 && errno == ENOENT) {
		report_ok(&files->findings, "no " POLICY_FILE ": the defaults apply");
		return 0;
	}
	path = path ?: POLICY_FILE;
	if (policy_check(path, &policy, on_bad_line, files) == 0)
		report_ok(&files->findings, "%s: no errors", path);
	check_slips(&files->findings, path);
	for (i = 0; i < policy.n_devices; i++)
		if (!if_nametoindex(policy.devices[i]))
			report_ok(&files->findings,
				  "%s:%u: %s is not an interface of this machine (now)",
				  path, policy.devices_line, policy.devices[i]);
	for (i = 0; i < policy.n_programs && r >= 0; i++)
		if (policy.programs[i].pool[0])
			r = check_pool_files(files, policy.programs[i].pool);
	return r;
}

/* The file that programs use which are started from here. Return: 0; -errno. */
static int check_named_file(struct pool_files *files)
{
	const char *config = getenv("MPTCPADDR_CONFIG");

	if (!config || !*config)
		return 0;
	report_ok(&files->findings,
		  "MPTCPADDR_CONFIG names %s: programs started from here use no other "
		  "file%s",
		  config, *config == '/' ? "" : "; it is no absolute path");
	return check_pool_files(files, config);
}

int cmd_check(int argc, char *argv[])
{
	static const struct option options[] = { { "broker", no_argument, NULL, 'b' },
						 { 0 } };
	struct pool_files files = { .findings.by = FOUND_BY_CHECK,
				    .findings.verbose = true };
	int (*check)(struct pool_files * files, const char *path) = check_argument;
	int c, r;

	while ((c = command_option(argc, argv, ":", options)) == 'b')
		check = check_broker_file;
	if (c != -1)
		return EXIT_USAGE;
	r = check == check_argument && optind == argc ? check_named_file(&files) : 0;
	do /* argv[argc] is NULL: all files, or the broker's own */
		r = r < 0 ? r : check(&files, argv[optind]);
	while (r >= 0 && ++optind < argc);
	if (files.on && check == check_argument)
		warn_of_machine();
	if (r < 0)
		fprintf(stderr, "mptcpaddr check: the addresses of this machine: %s\n",
			strerror(-r));
	return r < 0 || fflush(stdout) || ferror(stdout) || files.findings.problems;
}

/* The two libraries, as a program would get them. */
static void check_libraries(struct findings *findings)
{
	char path[PATH_MAX], manager[PATH_MAX + 32];
	const char *error = library_find(path);
	void *loaded;

	if (error) {
		report_problem(findings, "%s %s\n%s", path, error,
			       access(path, R_OK) < 0
				       ? "do: install the package libmptcpaddr, or type "
					 "make install"
				       : "do: move this tool and " LIBRARY
					 " to another directory");
		return;
	}
	snprintf(manager, sizeof(manager), "%.*s/" MANAGER,
		 (int)(strrchr(path, '/') - path), path);
	loaded = dlopen(manager, RTLD_LAZY | RTLD_LOCAL);
	if (!loaded) {
		report_problem(findings,
			       "the path manager cannot be loaded, so pools have no "
			       "effect: %s\n"
			       "do: put " MANAGER " next to " LIBRARY
			       ", and install the libraries that it needs",
			       dlerror());
		return;
	}
	dlclose(loaded);
	report_ok(findings, "library: %s", path);
}

bool check_pools(struct pool_files *files)
{
	const char *config = getenv("MPTCPADDR_CONFIG");
	const bool named = config && *config;
	int r = check_pool_files(files, named ? config : NULL);

	if (r < 0)
		report_problem(&files->findings,
			       "the addresses of this machine: %s\n"
			       "do: allow netlink sockets for this program (a sandbox, "
			       "or a container's filter, refuses them)",
			       strerror(-r));
	else if (r == 0 && !named)
		report_ok(&files->findings, "no pool file: MPTCP without a pool");
	/* The packages install one file, which does nothing until it is edited. */
	if (files->off && !files->on)
		report_problem(
			&files->findings,
			"no program has a pool: %s leaves every program plain TCP\n"
			"type: mptcpaddr init    # for one program: mptcpaddr init NAME\n"
			"do: or remove the line mptcp = no from it, and add endpoints",
			files->off_path);
	return r || named;
}

/* "10s", "2m", or seconds. Return: -EINVAL after an error was printed. */
static int parse_since(unsigned int *ret_ms)
{
	char *unit;
	double s = strtod(optarg, &unit);

	if (!strcmp(unit, "m"))
		s *= 60;
	else if (*unit && strcmp(unit, "s") != 0)
		s = 0;
	if (unit == optarg || !(s >= 0.1 && s <= SINCE_MAX_S)) { /* nor NaN */
		print_usage_error("doctor",
				  "--since %s: not a time from 0.1s to %dm; doctor "
				  "counts for this long from now on",
				  optarg, SINCE_MAX_S / 60);
		return -EINVAL;
	}
	*ret_ms = s * 1000;
	return 0;
}

/* The last words; @any: an MPTCP connection was tried. */
static void print_sum(const struct findings *findings, unsigned int since_ms,
		      bool any_pool, bool any)
{
	if (findings->json && since_ms)
		printf("],\"since_s\":%g,\"problems\":%u}\n", since_ms / 1000.0,
		       findings->problems);
	else if (findings->json)
		printf("],\"since_s\":null,\"problems\":%u}\n", findings->problems);
	else if (!any)
		printf("%s connection was opened in that time: nothing to judge\n",
		       findings->problems ? "no MPTCP"
					  : "no problems found, but no MPTCP");
	else if (!findings->problems)
		puts(any_pool ? "no problems found"
			      : "no problems found, but there is no pool file yet: type "
				"mptcpaddr init");
}

int cmd_doctor(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "since", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct pool_files files = { .findings.by = FOUND_BY_DOCTOR };
	unsigned int since_ms = 0;
	bool any_pool, any, managed;
	int c;

	while ((c = command_option(argc, argv, ":vj", options)) != -1)
		if (c == '?' || (c == 's' && parse_since(&since_ms) < 0))
			return EXIT_USAGE;
		else if (c == 'v')
			files.findings.verbose = true;
		else if (c == 'j')
			files.findings.json = true;
	if (optind < argc)
		return print_usage_error("doctor", "unexpected argument %s",
					 argv[optind]);
	if (files.findings.json)
		fputs("{\"findings\":[", stdout);
	check_libraries(&files.findings);
	any_pool = check_pools(&files);
	check_machine(&files.findings, &files.devices);
	check_running_pools(&files.findings, files.bad_lines);
	managed = strcmp(find_backend(), "none") != 0;
	any = check_counters(&files.findings, since_ms,
			     managed && !files.bad_lines ? files.laminar_path : NULL,
			     files.has_subflow) ||
	      !since_ms;
	print_sum(&files.findings, since_ms, any_pool, any);
	free(files.bad_lines);
	return fflush(stdout) || ferror(stdout) || files.findings.problems;
}
