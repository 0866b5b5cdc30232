// SPDX-License-Identifier: MIT
/*
 * kernel.c - what the library needs of the kernel, in this network namespace
 *
 * Tried, not looked up, where that is possible: a capability or a sysctl tells less than
 * the socket that the library will open.
 */
#include "kernel.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum kernel_mptcp kernel_mptcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd >= 0) {
		close(fd);
		return MPTCP_THERE;
	}
	switch (errno) {
	case ENOPROTOOPT:
		return MPTCP_OFF;
	case EPROTONOSUPPORT:
	case EINVAL:
		return MPTCP_ABSENT;
	default:
		return MPTCP_REFUSED;
	}
}

static bool read_setting(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

enum kernel_pm kernel_pm(const char **ret_setting)
{
	char text[64];

	*ret_setting = "net.mptcp.path_manager=userspace";
	if (read_setting("/proc/sys/net/mptcp/path_manager", text, sizeof(text)))
		return strcmp(text, "userspace") ? KERNEL_PM_KERNEL : KERNEL_PM_USERSPACE;
	*ret_setting = "net.mptcp.pm_type=1"; /* before Linux 6.15 */
	if (read_setting("/proc/sys/net/mptcp/pm_type", text, sizeof(text)))
		return strcmp(text, "1") ? KERNEL_PM_KERNEL : KERNEL_PM_USERSPACE;
	return KERNEL_PM_UNKNOWN;
}

int kernel_may_manage(void)
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
