// SPDX-License-Identifier: MIT
/*
 * checks.c - what the library needs of this machine, checked for run and doctor
 *
 * A check tries what the library will do where that is possible: a socket says more than
 * a capability or a version. What stops packets: the machine's own firewall as nft(8)
 * lists it, reverse-path filters, and the MPTCP counters since this network namespace was
 * created.
 */
#include "checks.h"
#include "held.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/str.h"
#include "shim/preload/subscribe.h"
#include "tools/common/blackhole_report.h"
#include "tools/common/ctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define PLAIN_TCP ": new connections are plain TCP"
#define NO_POOLS  ": pools have no effect"

/*
 * A path manager in the program itself, for a user who may become root. sudo sets HOME,
 * and the tool may be outside of PATH: %s is program_invocation_name.
 */
#define RUN_WITH_RIGHTS                                                         \
	"sudo setpriv --reuid \"$(id -u)\" --regid \"$(id -g)\" --init-groups " \
	"--inh-caps +net_admin --ambient-caps +net_admin env HOME=\"$HOME\" %s run ..."

#define RULES_MAX 100000 /* lines of a rule set that are read */

bool is_backend(const char *word)
{
	return !strcmp(word, "broker") || !strcmp(word, "direct") ||
	       !strcmp(word, "none");
}

bool find_broker(void)
{
	struct ctl ctl;
	const int r = ctl_open_broker(&ctl);

	ctl_close(&ctl);
	return r == 0 || r == -EAGAIN;
}

bool read_first_line(const char *path, char *ret_text, size_t size)
{
	FILE *file = fopen(path, "re");
	const bool found = file && fgets(ret_text, size, file);

	ret_text[found ? strcspn(ret_text, "\n") : 0] = '\0';
	if (file)
		fclose(file);
	return found;
}

static bool check_disable(struct findings *findings, const struct devices *devices)
{
	const char *disable = getenv("MPTCPADDR_DISABLE");

	if (disable && *disable && strcmp(disable, "0"))
		report_problem(findings,
			       "MPTCPADDR_DISABLE is set: the library does nothing\n"
			       "type: unset MPTCPADDR_DISABLE");
	return true;
}

static bool check_version(struct findings *findings, const struct devices *devices)
{
	struct utsname name = { .release = "?" };
	unsigned int major = 0, minor = 0, version;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	version = 1000 * major + minor;
	report_ok(findings,
		  "Linux %s: endpoints with \"dev\" and \"backup\" %s (6.9), the "
		  "kernel's own laminar endpoints %s (6.18)",
		  name.release, version >= 6009 ? "yes" : "no",
		  version >= 6018 ? "yes" : "no");
	if (version < 6009 && devices->n)
		report_problem(
			findings,
			"Linux %s cannot bind subflows to an interface, but pool files "
			"use \"dev\"\n"
			"do: use Linux 6.9 or later, or routing rules by source address",
			name.release);
	return true;
}

static bool check_mptcp(struct findings *findings, const struct devices *devices)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd >= 0) {
		close(fd);
		report_ok(findings, "MPTCP is on in this network namespace");
		return true;
	}
	switch (errno) {
	case ENOPROTOOPT:
		report_problem(findings,
			       "MPTCP is off in this network namespace" PLAIN_TCP
			       "\nroot: sysctl -w net.mptcp.enabled=1");
		return true;
	case EPROTONOSUPPORT:
	case EINVAL:
		report_problem(findings,
			       "this kernel has no MPTCP" PLAIN_TCP
			       "\ndo: use Linux 5.19 or later with CONFIG_MPTCP");
		return false;
	default:
		report_problem(
			findings,
			"MPTCP sockets are refused (%m), perhaps by a sandbox" PLAIN_TCP
			"\ndo: allow socket() with protocol 262 (IPPROTO_MPTCP)");
		return false;
	}
}

static int on_diag_socket(void *ctx, const struct inet_diag_msg *msg,
			  struct nlattr *const *tb)
{
	return 0;
}

static bool check_diag(struct findings *findings, const struct devices *devices)
{
	int r = diag_dump(IPPROTO_MPTCP, DIAG_CONNECTED, on_diag_socket, NULL);

	if (r < 0)
		report_problem(findings,
			       "the kernel does not list MPTCP connections: %s; "
			       "mptcpinfo shows no paths, and path managers cannot "
			       "resynchronise after lost events\n"
			       "root: modprobe mptcp_diag",
			       strerror(-r));
	else
		report_ok(findings, "the kernel lists MPTCP connections (mptcp_diag)");
	return true;
}

/* The kernel's MPTCP counters: a line of names, a line of values. */
struct netstat {
	char *names, *values;
};

static void read_netstat(struct netstat *ret)
{
	FILE *file = fopen("/proc/net/netstat", "re");
	size_t size[2] = { 0 };

	*ret = (struct netstat){ 0 };
	/* Each table repeats its name in both lines. */
	while (file && getline(&ret->names, &size[0], file) > 0 &&
	       getline(&ret->values, &size[1], file) > 0 &&
	       strncmp(ret->names, "MPTcpExt:", 9) != 0)
		;
	if (file)
		fclose(file);
}

/* 0 also if this kernel lacks the counter. */
static unsigned long get_counter(const struct netstat *netstat, const char *name)
{
	const char *at = netstat->names, *value = netstat->values;
	const size_t len = strlen(name);

	for (; at && value; at = strchr(at + 1, ' '), value = strchr(value + 1, ' '))
		if (!strncmp(at + 1, name, len) && strchr(" \n", at[1 + len]))
			return strtoul(value, NULL, 10);
	return 0;
}

/* Zeros: there is none. */
static struct ctl_manager ask_broker(void)
{
	struct ctl_manager about = { 0 };
	struct ctl ctl;

	if (ctl_open_broker(&ctl) < 0)
		return about;
	if (ctl_ask(&ctl, CTL_OP_MANAGER, 0, sizeof(about)) == 0 &&
	    ctl_answer(&ctl)->count)
		ctl_record(&ctl, 0, &about, sizeof(about));
	ctl_close(&ctl);
	return about;
}

static void read_blackhole(const struct netstat *netstat, struct blackhole *ret)
{
	blackhole_read(get_counter(netstat, "Blackhole"), ask_broker().blackhole_s, ret);
}

bool find_blackhole(struct blackhole *ret)
{
	struct netstat netstat;

	read_netstat(&netstat);
	read_blackhole(&netstat, ret);
	free(netstat.names);
	free(netstat.values);
	return ret->on;
}

/* For run; doctor knows more, see check_blocked(). */
static bool check_blackhole(struct findings *findings, const struct devices *devices)
{
	struct blackhole blackhole;

	if (!devices && find_blackhole(&blackhole))
		report_problem(findings, "%s\nroot: " BLACKHOLE_REMEDY, blackhole.text,
			       blackhole.timeout);
	return true;
}

static bool check_backend(struct findings *findings, const struct devices *devices)
{
	const char *backend = getenv("MPTCPADDR_BACKEND") ?: "";

	if (*backend && !is_backend(backend))
		report_problem(findings,
			       "MPTCPADDR_BACKEND is \"%s\", not broker, direct or "
			       "none" NO_POOLS
			       "\ndo: unset it, or set it to one of these",
			       backend);
	return strcmp(backend, "none") != 0;
}

static bool check_path_manager(struct findings *findings, const struct devices *devices)
{
	static const struct {
		const char *path, *name, *userspace;
	} settings[] = {
		{ "/proc/sys/net/mptcp/path_manager", "path_manager", "userspace" },
		{ "/proc/sys/net/mptcp/pm_type", "pm_type", "1" }, /* before 6.15 */
	};
	char value[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		const char *name = settings[i].name, *userspace = settings[i].userspace;

		if (!read_first_line(settings[i].path, value, sizeof(value)))
			continue;
		if (!strcmp(value, userspace))
			report_ok(findings,
				  "the userspace path manager handles new connections "
				  "(net.mptcp.%s=%s)",
				  name, value);
		else
			report_problem(findings,
				       "the in-kernel path manager is active "
				       "(net.mptcp.%s=%s)" NO_POOLS
				       "\nroot: sysctl -w net.mptcp.%s=%s",
				       name, value, name, userspace);
		return true;
	}
	report_problem(findings, "this kernel has only its own path manager" NO_POOLS
				 "\ndo: use Linux 5.19 or later");
	return false;
}

static bool check_broker(struct findings *findings, const struct devices *devices)
{
	const bool found = find_broker();
	struct ctl_manager about;

	if (found) {
		report_ok(findings, "a broker serves programs without rights");
		about = ask_broker();
		if (about.pool_error[0])
			report_problem(findings,
				       "the broker is crowded: %.*s\n"
				       "do: end some of them; each new one may cost the "
				       "pool of another, or is refused",
				       (int)sizeof(about.pool_error), about.pool_error);
	}
	check_held_broker(findings, found);
	check_held_listeners(findings);
	return true;
}

/* The command that starts the broker next to this tool, or in PATH. */
static const char *find_broker_command(char text[PATH_MAX + 8])
{
	static const char *const units[] = {
		"/etc/systemd/system/mptcpaddrd.service",
		"/usr/local/lib/systemd/system/mptcpaddrd.service",
		"/lib/systemd/system/mptcpaddrd.service",
	};
	const char *tool = program_invocation_name;
	size_t i;

	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!access(units[i], F_OK) && !access("/run/systemd/system", F_OK))
			return "systemctl start mptcpaddrd";
	snprintf(text, PATH_MAX, "%.*smptcpaddrd", (int)(basename(tool) - tool), tool);
	if (access(text, X_OK) < 0)
		strcpy(text, "mptcpaddrd");
	return strcat(text, " -u");
}

/* Whether a path manager may listen: CAP_NET_ADMIN. Return: 0; -errno. */
static int try_events(void)
{
	uint16_t family;
	int fd, r = subscribe_events(&fd, &family);

	if (r == 0)
		close(fd);
	return r;
}

/* Who would manage the paths: the program itself, or root's broker. */
static bool check_rights(struct findings *findings, const struct devices *devices)
{
	const bool broker = find_broker();
	const char *backend = getenv("MPTCPADDR_BACKEND") ?: "";
	char command[PATH_MAX + 8];
	int r;

	if (!strcmp(backend, "broker")) {
		if (!broker)
			report_problem(findings,
				       "no broker answers in this network "
				       "namespace" NO_POOLS "\nroot: %s",
				       find_broker_command(command));
		return true;
	}
	r = try_events();
	if (r == 0)
		report_ok(findings,
			  "CAP_NET_ADMIN: programs started from here may manage their "
			  "paths%s",
			  broker ? "" : "; other users have no broker");
	else if (r == -EPERM && (!broker || !strcmp(backend, "direct")))
		report_problem(findings,
			       "no CAP_NET_ADMIN in this network namespace, and no "
			       "broker" NO_POOLS "\nroot: %s\nor type: " RUN_WITH_RIGHTS,
			       find_broker_command(command), program_invocation_name);
	return true;
}

const char *find_backend(void)
{
	const char *backend = getenv("MPTCPADDR_BACKEND") ?: "";
	char value[64] = "";

	if (!strcmp(backend, "none") ||
	    (read_first_line("/proc/sys/net/mptcp/path_manager", value, sizeof(value)) &&
	     strcmp(value, "userspace") != 0))
		return "none";
	if (strcmp(backend, "direct") != 0 && find_broker())
		return "broker";
	return strcmp(backend, "broker") != 0 && try_events() == 0 ? "direct" : "none";
}

static unsigned long read_rp_filter(const char *device)
{
	char path[64], value[16];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", device);
	read_first_line(path, value, sizeof(value));
	return strtoul(value, NULL, 10);
}

/* The greater one of "all" and the interface's own applies. */
static void check_rp_filters(struct findings *findings, const struct devices *devices)
{
	const unsigned long all = read_rp_filter("all");
	unsigned int i;

	for (i = 0; i < devices->n; i++) {
		const char *name = devices->names[i];
		const unsigned long own = read_rp_filter(name);

		if ((own > all ? own : all) != 1)
			report_ok(findings, "%s: no strict reverse-path filter", name);
		else
			report_problem(findings,
				       "%s drops packets from addresses that another "
				       "interface has the better route to (rp_filter is "
				       "1)\n"
				       "root: sysctl -w net.ipv4.conf.%s.rp_filter=2",
				       name, name);
	}
}

/* @rule, in nft's own syntax, of @chain in @table, may concern TCP option 30. */
static void check_rule(struct findings *findings, const char *table, const char *chain,
		       char *rule)
{
	const char *effect = "refuses", *mark = " # handle ";
	char *handle = strstr(rule, mark), remedy[256] = "";

	if (strstr(rule, "reset tcp option mptcp") ||
	    strstr(rule, "reset tcp option 30 "))
		effect = "strips the MPTCP option from";
	else if ((!strstr(rule, "tcp option mptcp") && !strstr(rule, "tcp option 30 ")) ||
		 (!strstr(rule, " drop") && !strstr(rule, " reject")))
		return;
	if (handle) {
		snprintf(remedy, sizeof(remedy),
			 "\nroot: nft delete rule %s %s handle %s", table, chain,
			 handle + strlen(mark));
		*handle = '\0';
	}
	report_problem(findings, "the firewall %s packets: table %s, chain %s: %s%s",
		       effect, table, chain, rule + strspn(rule, " \t"), remedy);
}

static void check_firewall(struct findings *findings)
{
	/* A user's PATH may lack its directory. */
	FILE *nft =
		popen("PATH=$PATH:/usr/sbin:/sbin exec nft -a list ruleset 2>&1", "re");
	const unsigned int before = findings->problems;
	char *text = NULL, table[128] = "", chain[64] = "";
	unsigned int lines = 0;
	size_t size = 0;

	while (nft && lines++ < RULES_MAX && getline(&text, &size, nft) > 0) {
		text[strcspn(text, "\n")] = '\0';
		if (sscanf(text, "table %127[^{]", table) == 1)
			table[strlen(table) - 1] = '\0'; /* the blank */
		else if (sscanf(text, " chain %63s", chain) != 1)
			check_rule(findings, table, chain, text);
	}
	free(text);
	if (!nft || pclose(nft) != 0)
		report_ok(findings, "the firewall's rules could not be read: nft(8) is "
				    "missing, or requires root");
	else if (findings->problems == before)
		report_ok(findings, "no rule of nft(8) concerns the MPTCP option");
}

static unsigned long count_unsent(const struct netstat *netstat)
{
	return get_counter(netstat, "MPJoinSynTxCreatSkErr") +
	       get_counter(netstat, "MPJoinSynTxBindErr") +
	       get_counter(netstat, "MPJoinSynTxConnectErr");
}

/* Connections that made the kernel switch MPTCP off, perhaps. */
static void check_blocked(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long blocked = get_counter(netstat, "MPCapableSYNTXDrop");
	struct blackhole blackhole;
	char remedy[80] = "";

	read_blackhole(netstat, &blackhole);
	if (blackhole.on)
		snprintf(remedy, sizeof(remedy), "\nroot: " BLACKHOLE_REMEDY,
			 blackhole.timeout);
	if (blocked || blackhole.on)
		report_problem(findings,
			       "%lu connection%s got an answer only without MPTCP: a "
			       "middlebox drops SYNs that have the option%s%s%s\n"
			       "do: try another uplink; ask the firewall's operator to "
			       "allow TCP option 30",
			       blocked, PLURAL(blocked), blackhole.on ? "; " : "",
			       blackhole.text, remedy);
}

static void check_syns(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long servers = get_counter(netstat, "MPCapableFallbackSYNACK");
	const unsigned long clients = get_counter(netstat, "MPCapableFallbackACK");
	const unsigned long unsent = count_unsent(netstat);

	if (servers && !get_counter(netstat, "MPCapableSYNACKRX"))
		report_problem(
			findings,
			"none of %lu server%s answered with MPTCP: they lack it, or a "
			"middlebox strips the option\n"
			"root: tcpdump -nvi any 'tcp[tcpflags] & tcp-syn != 0'    # here "
			"and on the server: where is mptcp missing?",
			servers, PLURAL(servers));
	if (clients)
		report_problem(
			findings,
			"%lu client%s began with MPTCP and fell back to TCP: a middlebox "
			"strips the option\n"
			"root: tcpdump -nvi any 'tcp[tcpflags] & tcp-ack != 0'    # here "
			"and on the client: where is mptcp missing?",
			clients, PLURAL(clients));
	if (unsent)
		report_problem(
			findings,
			"%lu join%s could not be sent: no route from an endpoint's "
			"address to an announced one\n"
			"type: ip route get ANNOUNCED from ENDPOINT",
			unsent, PLURAL(unsent));
}

static void check_joins(struct findings *findings, const struct netstat *netstat)
{
	const unsigned long joins = get_counter(netstat, "MPJoinSynTx");
	const unsigned long answered = get_counter(netstat, "MPJoinSynAckRx");
	const unsigned long announced = get_counter(netstat, "AddAddr");
	const unsigned long servers = get_counter(netstat, "MPCapableSYNACKRX");
	/* One in ten may be in flight, or lost to a server's restart. */
	const bool lost = joins > answered && (joins - answered) * 10 > joins;
	/* An older kernel counts their answers alone. */
	const bool no_join = netstat->names && strstr(netstat->names, " MPJoinSynTx ") &&
			     !joins && !count_unsent(netstat);

	if (lost)
		report_problem(
			findings,
			"%lu of %lu join%s had no answer: the server's addresses "
			"cannot be reached from the endpoints\n"
			"type: mptcpinfo --events    # which ones\n"
			"do: check the firewalls at both ends, and the routes back",
			joins - answered, joins, PLURAL(joins));
	if (no_join && announced)
		report_problem(findings,
			       "%lu address%s announced, but none was joined\n"
			       "type: mptcpinfo    # says why, while such a connection "
			       "is open",
			       announced, announced == 1 ? " was" : "es were");
	else if (no_join && servers)
		report_problem(
			findings,
			"no server announced an address to %lu MPTCP connection%s, "
			"and no \"subflow\" endpoint opened a path\n"
			"do: write subflow in addition to laminar into the pool "
			"file, which needs no announcement\n"
			"type: ip mptcp endpoint add ADDRESS dev DEVICE signal    "
			"# on a server of your own",
			servers, PLURAL(servers));
	if (servers)
		report_ok(findings, "MPTCP connections to servers: %lu of %lu", servers,
			  get_counter(netstat, "MPCapableSYNTX"));
	if (joins && !lost)
		report_ok(findings, "answered joins: %lu of %lu", answered, joins);
}

static const struct {
	/* Return: false if the later ones do not matter then. */
	bool (*check)(struct findings *findings, const struct devices *devices);
	bool doctor_only;
} checks[] = {
	{ check_disable, false },      { check_version, true }, { check_mptcp, false },
	{ check_blackhole, false },    { check_diag, true },	{ check_backend, false },
	{ check_path_manager, false }, { check_broker, true },	{ check_rights, false },
};

void check_machine(struct findings *findings, const struct devices *devices)
{
	const bool verbose = findings->verbose;
	struct netstat netstat;
	size_t i;

	findings->verbose &= devices != NULL;
	for (i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if ((devices || !checks[i].doctor_only) &&
		    !checks[i].check(findings, devices))
			break;
	findings->verbose = verbose;
	if (!devices)
		return;
	check_rp_filters(findings, devices);
	check_firewall(findings);
	read_netstat(&netstat);
	check_blocked(findings, &netstat);
	check_syns(findings, &netstat);
	check_joins(findings, &netstat);
	free(netstat.names);
	free(netstat.values);
}
