// SPDX-License-Identifier: MIT
/*
 * doctor_kernel.c - mptcpaddr doctor: the kernel, its settings, rights and the broker
 *
 * Tried, not looked up, where that is possible; the version counts only for what cannot
 * be tried without doing it.
 */
#include "broker_probe.h"
#include "doctor.h"
#include "finding.h"
#include "kernel.h"
#include "mptcpaddr/diag.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#define VERSION(major, minor) ((major) << 16 | (minor))

static unsigned int kernel_version(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return 0;
	return VERSION(major, minor);
}

static void tell_version(struct doctor *doctor)
{
	unsigned int version = kernel_version();
	struct utsname name = { .release = "?" };

	uname(&name);
	if (version < VERSION(6, 9) && doctor->n_devices) {
		problem(doctor,
			"Linux %s binds no subflow to an interface, and pool "
			"files say \"dev\"",
			name.release);
		do_this("use Linux 6.9 or later, or routing rules by source address");
	}
	well(doctor,
	     "Linux %s: endpoints with \"dev\" and \"backup\" %s (6.9), the "
	     "kernel's own laminar endpoints %s (6.18)",
	     name.release, version >= VERSION(6, 9) ? "yes" : "no",
	     version >= VERSION(6, 18) ? "yes" : "no");
}

/* Return: whether there is MPTCP to go on with. */
static bool tell_mptcp(struct doctor *doctor)
{
	switch (kernel_mptcp()) {
	case MPTCP_THERE:
		well(doctor, "MPTCP is on in this network namespace");
		return true;
	case MPTCP_OFF:
		problem(doctor, "MPTCP is off in this network namespace");
		type_this("%ssysctl -w net.mptcp.enabled=1", AS_ROOT);
		return true;
	case MPTCP_ABSENT:
		problem(doctor, "this kernel has no MPTCP");
		do_this("use Linux 5.19 or later with CONFIG_MPTCP");
		return false;
	case MPTCP_REFUSED:
		problem(doctor, "MPTCP sockets are refused here, by a sandbox perhaps");
		do_this("let it allow socket() with protocol %d", IPPROTO_MPTCP);
		return false;
	}
	return false;
}

static void tell_path_manager(struct doctor *doctor)
{
	const char *setting;

	switch (kernel_pm(&setting)) {
	case KERNEL_PM_USERSPACE:
		well(doctor, "new connections leave their paths to programs (%s)",
		     setting);
		break;
	case KERNEL_PM_KERNEL:
		problem(doctor, "the kernel is the path manager here: MPTCP works, but "
				"without pools");
		type_this("%ssysctl -w %s", AS_ROOT, setting);
		break;
	case KERNEL_PM_UNKNOWN:
		problem(doctor, "this kernel has no path managers but its own");
		do_this("use Linux 5.19 or later");
		break;
	}
}

static void tell_rights(struct doctor *doctor)
{
	int may = kernel_may_manage(), broker;
	uid_t uid = 0;

	broker = broker_find(&uid);
	if (broker == 0 && uid != 0) {
		problem(doctor,
			"what answers as the broker here is user %u's, and not "
			"root's: no program will use it",
			uid);
		do_this("end that program, and start mptcpaddrd as root");
		broker = -EPERM;
	}
	if (broker == 0)
		well(doctor, "a broker serves programs without rights");
	if (may == -EPERM && broker < 0) {
		problem(doctor, "no CAP_NET_ADMIN in this network namespace, and no "
				"broker: MPTCP works, but without pools");
		type_this("%s", broker_start());
		type_this(RUN_WITH_RIGHTS, program_invocation_name);
	} else if (may == 0) {
		well(doctor,
		     "CAP_NET_ADMIN: programs started from here may manage "
		     "their paths%s",
		     broker < 0 ? "; no broker for those of other users" : "");
	}
}

static int on_socket(void *ctx, const struct inet_diag_msg *msg, struct nlattr *const *tb)
{
	return 0;
}

static void tell_diag(struct doctor *doctor)
{
	int r = diag_dump(IPPROTO_MPTCP, on_socket, NULL);

	if (r == 0) {
		well(doctor, "the kernel tells its MPTCP connections (mptcp_diag)");
		return;
	}
	problem(doctor,
		"the kernel does not tell its MPTCP connections: %s; mptcpinfo "
		"shows no paths, and lost events are not made up for",
		strerror(-r));
	type_this("%smodprobe mptcp_diag", AS_ROOT);
}

void doctor_kernel(struct doctor *doctor)
{
	tell_version(doctor);
	if (!tell_mptcp(doctor))
		return;
	tell_path_manager(doctor);
	tell_rights(doctor);
	tell_diag(doctor);
}
