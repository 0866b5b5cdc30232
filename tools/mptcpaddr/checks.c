// SPDX-License-Identifier: MIT
/*
 * checks.c - what the library needs of this machine, checked for run and doctor
 *
 * A probe tries what the library will do where that is possible: a socket says more than
 * a capability or a version. Each outcome of a probe has one text for both commands.
 */
#include "checks.h"
#include "mptcpaddr/broker.h"
#include "mptcpaddr/diag.h"
#include "mptcpaddr/uapi.h"
#include "tools/common/ctl.h"

#include <fcntl.h>
#include <limits.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

/*
 * A path manager in the program itself, for a user who may become root. sudo sets HOME,
 * and the tool may be outside of PATH: %s is program_invocation_name.
 */
#define RUN_WITH_RIGHTS                                                         \
	"sudo setpriv --reuid \"$(id -u)\" --regid \"$(id -g)\" --init-groups " \
	"--inh-caps +net_admin --ambient-caps +net_admin env HOME=\"$HOME\" %s run ..."

struct probe {
	const struct devices *devices;
	const char *backend; /* MPTCPADDR_BACKEND, or "" */
	/* For the %s of the outcome's text and of its remedies. */
	char detail[256];
	char remedy[2 * PATH_MAX];
};

/* Outcomes of probes that have more than two. */
enum {
	MPTCP_ON,
	MPTCP_OFF,
	MPTCP_MISSING,
	MPTCP_REFUSED,
	BACKEND_KNOWN,
	BACKEND_NONE,
	BACKEND_UNKNOWN,
	MANAGER_USERSPACE,
	MANAGER_KERNEL,
	MANAGER_UNKNOWN,
	BROKER_MISSING,
	BROKER_FOUND,
	BROKER_OF_USER,
	RIGHTS_OTHERWISE,
	RIGHTS_OWN,
	RIGHTS_MISSING,
	RIGHTS_NO_BROKER,
};

static int probe_disable(struct probe *probe)
{
	const char *disable = getenv("MPTCPADDR_DISABLE");

	return disable && *disable && strcmp(disable, "0");
}

/* Whether Linux @major.@minor or later runs here. Sets the detail to its release. */
static bool is_kernel(struct probe *probe, unsigned int major, unsigned int minor)
{
	unsigned int own_major = 0, own_minor = 0;
	struct utsname name = { .release = "?" };

	uname(&name);
	snprintf(probe->detail, sizeof(probe->detail), "%s", name.release);
	sscanf(name.release, "%u.%u", &own_major, &own_minor);
	return own_major > major || (own_major == major && own_minor >= minor);
}

static int probe_version(struct probe *probe)
{
	const char *binds = is_kernel(probe, 6, 9) ? "yes" : "no";
	const char *laminar = is_kernel(probe, 6, 18) ? "yes" : "no";
	const size_t len = strlen(probe->detail);

	snprintf(probe->detail + len, sizeof(probe->detail) - len,
		 ": endpoints with \"dev\" and \"backup\" %s (6.9), the kernel's own "
		 "laminar endpoints %s (6.18)",
		 binds, laminar);
	return 0;
}

static int probe_binding(struct probe *probe)
{
	return !is_kernel(probe, 6, 9) && probe->devices->n;
}

static int probe_mptcp(struct probe *probe)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd >= 0) {
		close(fd);
		return MPTCP_ON;
	}
	switch (errno) {
	case ENOPROTOOPT:
		return MPTCP_OFF;
	case EPROTONOSUPPORT:
	case EINVAL:
		return MPTCP_MISSING;
	default:
		snprintf(probe->detail, sizeof(probe->detail), "%s", strerror(errno));
		return MPTCP_REFUSED;
	}
}

static int on_diag_socket(void *ctx, const struct inet_diag_msg *msg,
			  struct nlattr *const *tb)
{
	return 0;
}

static int probe_diag(struct probe *probe)
{
	int r = diag_dump(IPPROTO_MPTCP, DIAG_CONNECTED, on_diag_socket, NULL);

	snprintf(probe->detail, sizeof(probe->detail), "%s", strerror(-r));
	return r < 0;
}

bool is_backend(const char *word)
{
	return !strcmp(word, "broker") || !strcmp(word, "direct") ||
	       !strcmp(word, "none");
}

static int probe_backend(struct probe *probe)
{
	snprintf(probe->detail, sizeof(probe->detail), "%s", probe->backend);
	if (!strcmp(probe->backend, "none"))
		return BACKEND_NONE;
	return !*probe->backend || is_backend(probe->backend) ? BACKEND_KNOWN
							      : BACKEND_UNKNOWN;
}

bool read_sysctl(const char *name, char *ret_text, size_t size)
{
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret_text, size - 1);
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	ret_text[n] = '\0';
	ret_text[strcspn(ret_text, "\n")] = '\0';
	return true;
}

static int probe_path_manager(struct probe *probe)
{
	static const struct {
		const char *path, *name, *userspace;
	} settings[] = {
		{ "net/mptcp/path_manager", "net.mptcp.path_manager", "userspace" },
		{ "net/mptcp/pm_type", "net.mptcp.pm_type", "1" }, /* before 6.15 */
	};
	char value[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		if (!read_sysctl(settings[i].path, value, sizeof(value)))
			continue;
		snprintf(probe->detail, sizeof(probe->detail), "%s=%s", settings[i].name,
			 value);
		snprintf(probe->remedy, sizeof(probe->remedy), "%s=%s", settings[i].name,
			 settings[i].userspace);
		return strcmp(value, settings[i].userspace) ? MANAGER_KERNEL
							    : MANAGER_USERSPACE;
	}
	return MANAGER_UNKNOWN;
}

/* Return: 0 with the user whose broker it is; -errno if none answers. */
static int find_broker(uid_t *ret_uid)
{
	struct ctl ctl;
	int r = ctl_open(BROKER_NAME, &ctl);

	if (r < 0)
		return r;
	*ret_uid = ctl.uid;
	ctl_close(&ctl);
	return 0;
}

bool find_root_broker(void)
{
	uid_t uid;

	return find_broker(&uid) == 0 && uid == 0;
}

static int probe_broker(struct probe *probe)
{
	uid_t uid;

	if (find_broker(&uid) < 0)
		return BROKER_MISSING;
	snprintf(probe->detail, sizeof(probe->detail), "%u", uid);
	return uid ? BROKER_OF_USER : BROKER_FOUND;
}

/* Set the remedy to the command that starts the broker next to this tool, or in PATH. */
static void set_broker_command(struct probe *probe)
{
	static const char *const units[] = {
		"/etc/systemd/system/mptcpaddrd.service",
		"/usr/local/lib/systemd/system/mptcpaddrd.service",
		"/lib/systemd/system/mptcpaddrd.service",
	};
	const char *slash = strrchr(program_invocation_name, '/');
	char path[PATH_MAX];
	size_t i;

	snprintf(path, sizeof(path), "%.*smptcpaddrd",
		 slash ? (int)(slash + 1 - program_invocation_name) : 0,
		 program_invocation_name);
	snprintf(probe->remedy, sizeof(probe->remedy), "root: %s -u",
		 slash && !access(path, X_OK) ? path : "mptcpaddrd");
	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!access(units[i], F_OK) && !access("/run/systemd/system", F_OK))
			strcpy(probe->remedy, "root: systemctl start mptcpaddrd");
}

/* Whether a path manager may listen: CAP_NET_ADMIN. Return: 0 or -errno. */
static int try_events(void)
{
	struct nl_sock *nl = nl_socket_alloc();
	int group, r = -ENOMEM;

	if (!nl)
		return r;
	r = genl_connect(nl);
	group = r < 0 ? r : genl_ctrl_resolve_grp(nl, "mptcp_pm", "mptcp_pm_events");
	if (group < 0)
		r = -ENOENT;
	else if (setsockopt(nl_socket_get_fd(nl), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			    &group, sizeof(group)) < 0)
		r = -errno;
	nl_socket_free(nl);
	return r;
}

/* Who would manage the paths: the program itself, or root's broker. */
static int probe_rights(struct probe *probe)
{
	const bool broker = find_root_broker();
	size_t len;
	int r;

	snprintf(probe->detail, sizeof(probe->detail), "%s",
		 broker ? "" : "; other users have no broker");
	set_broker_command(probe);
	if (!strcmp(probe->backend, "broker"))
		return broker ? RIGHTS_OTHERWISE : RIGHTS_NO_BROKER;
	r = try_events();
	if (r == 0)
		return RIGHTS_OWN;
	if (r != -EPERM || (broker && strcmp(probe->backend, "direct") != 0))
		return RIGHTS_OTHERWISE;
	len = strlen(probe->remedy);
	snprintf(probe->remedy + len, sizeof(probe->remedy) - len,
		 "\nor type: " RUN_WITH_RIGHTS, program_invocation_name);
	return RIGHTS_MISSING;
}

enum {
	GOOD = 1,
	PROBLEM = 2,
	DOCTOR = 4, /* run leaves this probe out */
	LAST = 8,   /* the rest does not matter then */
};

#define PLAIN_TCP ": new connections are plain TCP"
#define NO_POOLS  ": pools have no effect"

static const struct outcome {
	int (*probe)(struct probe *probe);
	int value; /* that it returned; rows of one probe are next to each other */
	unsigned int flags;
	const char *text, *remedies;
} outcomes[] = {
	{ probe_disable, true, PROBLEM,
	  "MPTCPADDR_DISABLE is set: the library does nothing",
	  "type: unset MPTCPADDR_DISABLE" },
	{ probe_version, 0, GOOD | DOCTOR, "Linux %s", "" },
	{ probe_binding, true, PROBLEM | DOCTOR,
	  "Linux %s cannot bind subflows to an interface, but pool files use \"dev\"",
	  "do: use Linux 6.9 or later, or routing rules by source address" },
	{ probe_mptcp, MPTCP_ON, GOOD, "MPTCP is on in this network namespace", "" },
	{ probe_mptcp, MPTCP_OFF, PROBLEM,
	  "MPTCP is off in this network namespace" PLAIN_TCP,
	  "root: sysctl -w net.mptcp.enabled=1" },
	{ probe_mptcp, MPTCP_MISSING, PROBLEM | LAST,
	  "this kernel has no MPTCP" PLAIN_TCP,
	  "do: use Linux 5.19 or later with CONFIG_MPTCP" },
	{ probe_mptcp, MPTCP_REFUSED, PROBLEM | LAST,
	  "MPTCP sockets are refused (%s), perhaps by a sandbox" PLAIN_TCP,
	  "do: allow socket() with protocol 262 (IPPROTO_MPTCP)" },
	{ probe_diag, 0, GOOD | DOCTOR, "the kernel lists MPTCP connections (mptcp_diag)",
	  "" },
	{ probe_diag, true, PROBLEM | DOCTOR,
	  "the kernel does not list MPTCP connections: %s; mptcpinfo shows no paths, and "
	  "path managers cannot resynchronise after lost events",
	  "root: modprobe mptcp_diag" },
	{ probe_backend, BACKEND_NONE, LAST, "", "" },
	{ probe_backend, BACKEND_UNKNOWN, PROBLEM,
	  "MPTCPADDR_BACKEND is \"%s\", not broker, direct or none" NO_POOLS,
	  "do: unset it, or set it to one of these" },
	{ probe_path_manager, MANAGER_USERSPACE, GOOD,
	  "the userspace path manager handles new connections (%s)", "" },
	{ probe_path_manager, MANAGER_KERNEL, PROBLEM,
	  "the in-kernel path manager is active (%s)" NO_POOLS, "root: sysctl -w %s" },
	{ probe_path_manager, MANAGER_UNKNOWN, PROBLEM | LAST,
	  "this kernel has only its own path manager" NO_POOLS,
	  "do: use Linux 5.19 or later" },
	{ probe_broker, BROKER_FOUND, GOOD | DOCTOR,
	  "a broker serves programs without rights", "" },
	{ probe_broker, BROKER_OF_USER, PROBLEM | DOCTOR,
	  "the broker in this network namespace belongs to user %s, not to root: it is "
	  "not used",
	  "do: end that program, and start mptcpaddrd as root" },
	{ probe_rights, RIGHTS_OWN, GOOD,
	  "CAP_NET_ADMIN: programs started from here may manage their paths%s", "" },
	{ probe_rights, RIGHTS_MISSING, PROBLEM,
	  "no CAP_NET_ADMIN in this network namespace, and no broker" NO_POOLS, "%s" },
	{ probe_rights, RIGHTS_NO_BROKER, PROBLEM,
	  "no broker answers in this network namespace" NO_POOLS, "%s" },
};

void check_machine(struct findings *findings, const struct devices *devices)
{
	const struct outcome *o, *end = outcomes + sizeof(outcomes) / sizeof(*outcomes);
	struct probe probe = { .devices = devices,
			       .backend = getenv("MPTCPADDR_BACKEND") ?: "" };
	int value = 0;

	for (o = outcomes; o < end; o++) {
		if ((o->flags & DOCTOR) && !devices)
			continue;
		if (o == outcomes || o->probe != o[-1].probe)
			value = o->probe(&probe);
		if (o->value != value)
			continue;
		if ((o->flags & GOOD) && devices)
			report_ok(findings, o->text, probe.detail);
		if (o->flags & PROBLEM)
			report_problem(findings, remedy_text(o->remedies, probe.remedy),
				       o->text, probe.detail);
		if (o->flags & LAST)
			return;
	}
}
