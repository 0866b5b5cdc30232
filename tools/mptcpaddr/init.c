// SPDX-License-Identifier: MIT
/*
 * init.c - mptcpaddr init: write a first pool file from this machine's uplinks
 *
 * An uplink is an interface with a default route, in the order that routing prefers them.
 * Other interfaces with addresses become comments. Nothing is written over without a
 * "yes".
 */
#include "checks.h"
#include "default_routes.h"
#include "program.h"

#include "shim/common/str.h"
#include "shim/netlink/request.h"
#include "shim/preload/pool_file.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SYSTEM_DIR  "/etc/mptcpaddr/"
#define UPLINKS_MAX 32 /* interfaces in the file */

struct uplink {
	int if_idx;
	uint32_t metric; /* of its best default route */
	bool routed;	 /* it has a default route */
};

struct init {
	const char *program;
	bool to_stdout;
	struct rtnl_table machine;
	struct uplink uplinks[UPLINKS_MAX];
	unsigned int n, routed;
};

static struct uplink *init_add_uplink(struct init *init, int if_idx)
{
	unsigned int i;

	for (i = 0; i < init->n; i++)
		if (init->uplinks[i].if_idx == if_idx)
			return &init->uplinks[i];
	if (init->n == UPLINKS_MAX)
		return NULL;
	init->uplinks[init->n] = (struct uplink){ .if_idx = if_idx };
	return &init->uplinks[init->n++];
}

static void add_route(void *ctx, int if_idx, uint32_t metric)
{
	struct init *init = ctx;
	struct uplink *uplink = init_add_uplink(init, if_idx);

	if (!uplink)
		return;
	if (!uplink->routed || metric < uplink->metric)
		uplink->metric = metric;
	init->routed += !uplink->routed;
	uplink->routed = true;
}

static bool is_usable(const struct rtnl_address *addr)
{
	const struct mpaddr_range *range = mpaddr_range(&addr->addr);

	return !addr->deprecated && (!range || range->kind == MPADDR_PRIVATE);
}

/* Return: the driver of a tunnel, which runs over another uplink; NULL: it is none. */
static const char *tunnel_driver(const char *dev)
{
	static const char *const drivers[] = { "tun", "wireguard", NULL };
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&info };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const char *const *driver = drivers;

	strcpy(request.ifr_name, dev);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		info.driver[0] = '\0';
	if (fd >= 0)
		close(fd);
	while (*driver && strcmp(*driver, info.driver) != 0)
		driver++;
	return *driver;
}

/* Those with a route first, by its metric; the others stay as the kernel has them. */
static int compare_uplinks(const void *a, const void *b)
{
	const struct uplink *x = a, *y = b;

	if (x->routed != y->routed)
		return y->routed - x->routed;
	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return x->if_idx - y->if_idx;
}

/* Return: 0; -errno. */
static int read_uplinks(struct init *init)
{
	int r = rtnl_read_table(&init->machine);
	unsigned int i;

	if (r == 0)
		r = default_routes_read(add_route, init);
	for (i = 0; r == 0 && i < init->machine.n_addrs; i++)
		if (is_usable(&init->machine.addrs[i]))
			init_add_uplink(init, init->machine.addrs[i].if_idx);
	qsort(init->uplinks, init->n, sizeof(*init->uplinks), compare_uplinks);
	return r;
}

static const struct rtnl_iface *init_find_link(const struct init *init, int if_idx)
{
	unsigned int i;

	for (i = 0; i < init->machine.n_links; i++)
		if (init->machine.links[i].if_idx == if_idx)
			return &init->machine.links[i];
	return NULL;
}

static void write_addresses(const struct init *init, FILE *out, int if_idx)
{
	const char *before = "\n# ";
	char text[MPADDR_TEXT_MAX];
	unsigned int i;

	for (i = 0; i < init->machine.n_addrs; i++) {
		if (init->machine.addrs[i].if_idx != if_idx ||
		    !is_usable(&init->machine.addrs[i]))
			continue;
		fprintf(out, "%s%s", before,
			mpaddr_text(&init->machine.addrs[i].addr, text));
		before = ", ";
	}
	fputs(*before == '\n' ? "\n# no address now" : "", out);
}

/* Return: whether the endpoint is in force. */
static bool write_uplink(const struct init *init, FILE *out, const struct uplink *uplink)
{
	const struct rtnl_iface *link = init_find_link(init, uplink->if_idx);
	const char *tunnel, *why = "";
	bool used;

	if (!link || link->inner)
		return false;
	tunnel = tunnel_driver(link->dev);
	used = uplink->routed && !tunnel;
	if (tunnel)
		why = "; a tunnel: it runs over another uplink";
	else if (!uplink->routed)
		why = "; no default route";
	else if (!strncmp(link->dev, "ww", 2) || !strncmp(link->dev, "ppp", 3))
		why = "; a modem: append \"metered\" if its data is limited";
	write_addresses(init, out, uplink->if_idx);
	fprintf(out, "%s%s\n%sendpoint = dev %s subflow laminar\n", why,
		link->up ? "" : "; down", used ? "" : "#", link->dev);
	return used;
}

/* Return: the number of endpoints in force. */
static unsigned int write_pool(const struct init *init, FILE *out)
{
	unsigned int i, used = 0;

	fprintf(out,
		"# Pool of %s, see mptcpaddr.conf(5). Written by mptcpaddr init.\n\n"
		"[pool]\n"
		"# All addresses of each uplink, as they come and go. The first ones are "
		"preferred.\n"
		"# subflow: open a path to the server's own address; laminar: join an "
		"address "
		"that\n"
		"# it announces; backup: only while no other path can carry data.\n",
		init->program ?: "every program without a file of its own");
	for (i = 0; i < init->n; i++)
		used += write_uplink(init, out, &init->uplinks[i]);
	fputs("\n[app]\n"
	      "# Start over the first uplink that answers within 0.3 s; routing: as "
	      "without\n"
	      "# the library\n"
	      "first = race\n"
	      "# Probe idle paths, so that NAT routers remember them:\n"
	      "#keepalive = 30s\n"
	      "# Servers to which connections have one path:\n"
	      "#exclude = 192.168.0.0/16\n"
	      "\n[limits]\n"
	      "# Additional paths of a connection, announced addresses that it accepts:\n"
	      "#subflows = 8\n"
	      "#add_addr_accepted = 8\n",
	      out);
	return used;
}

static bool is_confirmed(const char *path)
{
	char answer[8] = "";

	fprintf(stderr, "%s exists. Overwrite it? [y/N] ", path);
	if (!fgets(answer, sizeof(answer), stdin) || !strchr(answer, '\n'))
		fputs("\n", stderr);
	answer[strcspn(answer, "\n")] = '\0';
	return !strcasecmp(answer, "y") || !strcasecmp(answer, "yes");
}

/* Of root: for all users. */
static int choose_path(const char *name, char ret_path[PATH_MAX])
{
	size_t len = geteuid() ? pool_file_user_dir(ret_path) : 0;
	char *slash = ret_path;

	if (geteuid() && !len)
		return print_error("no home directory: use --stdout");
	if (!len)
		strcpy(ret_path, SYSTEM_DIR);
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(ret_path, 0755) < 0 && errno != EEXIST)
			return print_error("%s: %s", ret_path, strerror(errno));
		*slash = '/';
	}
	len = strlen(ret_path);
	snprintf(ret_path + len, PATH_MAX - len, "%s.conf", name);
	return 0;
}

static int write_file(const struct init *init, const char *name)
{
	char path[PATH_MAX], real[PATH_MAX], next[PATH_MAX + 8];
	unsigned int used;
	FILE *out;

	if (choose_path(name, path))
		return 1;
	if (access(path, F_OK) == 0 && !is_confirmed(path))
		return print_error("%s is unchanged", path);
	/* Where a link points to; readers see the whole file or none. */
	snprintf(next, sizeof(next), "%s.next", realpath(path, real) ? real : path);
	out = fopen(next, "we");
	if (!out)
		return print_error("%s: %s", next, strerror(errno));
	used = write_pool(init, out);
	if (fclose(out) || rename(next, realpath(path, real) ? real : path) < 0) {
		print_error("%s: %s", path, strerror(errno));
		unlink(next);
		return 1;
	}
	printf("wrote %s: %u uplink%s\n", path, used, PLURAL(used));
	if (init->program && !geteuid())
		printf("all users' %s has this pool now, in place of their "
		       "default.conf\n",
		       init->program);
	fflush(stdout);
	if (used < 2)
		print_error("only uplinks with a default route are used, and there %s: "
			    "see that file",
			    used ? "is one" : "are none");
	warn_of_machine();
	return fflush(stdout) || ferror(stdout);
}

static int parse_init_options(struct init *init, int argc, char *argv[])
{
	static const struct option options[] = { { "stdout", no_argument, NULL, 'o' },
						 { 0 } };
	int c;

	while ((c = command_option(argc, argv, ":", options)) == 'o')
		init->to_stdout = true;
	if (c == '?')
		return EXIT_USAGE;
	if (argc - optind > 1)
		return print_usage_error("init", "unexpected argument %s",
					 argv[optind + 1]);
	init->program = argv[optind];
	return 0;
}

int cmd_init(int argc, char *argv[])
{
	static struct program program;
	static struct init init;
	const char *name = "default";
	struct stat st;
	int r = parse_init_options(&init, argc, argv);

	if (r)
		return r;
	/* Of a wrapper script, the program that it executes. */
	if (init.program && program_resolve(init.program, &program))
		init.program = program.name;
	else if (init.program && if_nametoindex(init.program))
		return print_error(
			"%s is an interface, not a program; \"mptcpaddr init\" "
			"finds them itself",
			init.program);
	if (init.program)
		name = init.program = basename(init.program);
	if (!*name || !strcmp(name, "broker"))
		return print_usage_error("init", "\"%s\" cannot be a program's name",
					 name);
	if (init.program && strchr(argv[optind], '/') && stat(argv[optind], &st) == 0 &&
	    S_ISDIR(st.st_mode))
		return print_error("%s is a directory, not a program", argv[optind]);
	if (init.program && !strcmp(name, "default"))
		init.program = NULL;
	r = read_uplinks(&init);
	if (r < 0)
		return print_error("the interfaces of this machine: %s", strerror(-r));
	if (!init.to_stdout)
		return write_file(&init, name);
	write_pool(&init, stdout);
	return fflush(stdout) || ferror(stdout);
}
