// SPDX-License-Identifier: MIT
/*
 * checks.c - what the library needs of this machine, checked for run and doctor
 *
 * A check tries what the library will do where that is possible: a socket says more than
 * a capability or a version. What stops packets: the machine's own firewall as nft(8)
 * lists it, and reverse-path filters.
 */
#include "checks.h"
#include "counters.h"
#include "held.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/netlink.h"
#include "mptcpaddr/uapi.h"
#include "shim/common/str.h"
#include "shim/preload/subscribe.h"
#include "tools/common/blackhole_report.h"
#include "tools/common/broker_command.h"
#include "tools/common/ctl.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define PLAIN_TCP ": new connections are plain TCP"
#define NO_POOLS  ": pools have no effect"

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

/* Whether a path manager may listen: CAP_NET_ADMIN. Return: 0; -errno. */
static int try_events(void)
{
	uint16_t family;
	int fd, r = subscribe_events(&fd, &family);

	if (r == 0)
		close(fd);
	return r;
}

/* Only a broker can help: it also selects the userspace path manager. */
static bool lacks_broker(void)
{
	const char *backend = getenv("MPTCPADDR_BACKEND") ?: "";

	return strcmp(backend, "direct") && !find_broker() &&
	       (!strcmp(backend, "broker") || try_events() == -EPERM);
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
		else if (lacks_broker())
			report_ok(
				findings,
				"the in-kernel path manager is active (net.mptcp.%s=%s) "
				"until a broker starts",
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
		if (ctl_ask_broker(&about) == 0 && about.pool_error[0])
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

/* Who would manage the paths: the program itself, or root's broker. */
static bool check_rights(struct findings *findings, const struct devices *devices)
{
	const bool broker = find_broker();
	const char *backend = getenv("MPTCPADDR_BACKEND") ?: "";
	char command[BROKER_COMMAND_MAX];
	int r;

	if (!strcmp(backend, "broker")) {
		if (!broker)
			report_problem(findings,
				       "no broker answers in this network "
				       "namespace" NO_POOLS "\nroot: %s",
				       broker_command_find(command));
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
			       BROKER_LACKING NO_POOLS
			       "\nroot: %s\n"
			       "do: or give the program CAP_NET_ADMIN, see EXAMPLES in "
			       "mptcpaddr(8)",
			       broker_command_find(command));
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
}

void warn_of_machine(void)
{
	struct findings findings = { .by = FOUND_BY_RUN, .brief = true };

	fflush(stdout);
	check_machine(&findings, NULL);
}
