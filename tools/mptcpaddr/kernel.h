/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - what the library needs of the kernel, in this network namespace
 */
#pragma once

#include <stdbool.h>

enum kernel_mptcp {
	MPTCP_THERE,
	MPTCP_OFF,     /* net.mptcp.enabled = 0 */
	MPTCP_ABSENT,  /* the kernel was built without it */
	MPTCP_REFUSED, /* by a sandbox */
};

/* kernel_mptcp() - what becomes of an MPTCP socket. */
enum kernel_mptcp kernel_mptcp(void);

enum kernel_pm {
	KERNEL_PM_USERSPACE,
	KERNEL_PM_KERNEL,
	KERNEL_PM_UNKNOWN, /* there is no sysctl that says so */
};

/*
 * kernel_pm() - which path manager a new MPTCP socket has
 *
 * @ret_setting: what to give to sysctl(8) for the userspace one.
 */
enum kernel_pm kernel_pm(const char **ret_setting);

/* kernel_may_manage() - whether a path manager may listen: CAP_NET_ADMIN. 0 or -errno. */
int kernel_may_manage(void);
