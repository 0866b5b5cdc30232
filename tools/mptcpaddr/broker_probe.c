// SPDX-License-Identifier: MIT
/*
 * broker_probe.c - whether a broker serves this network namespace
 */
#include "broker_probe.h"
#include "finding.h"
#include "mptcpaddr/broker.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int broker_find(uid_t *ret_uid)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0)
		return -errno;
	memcpy(sun.sun_path + 1, BROKER_NAME, strlen(BROKER_NAME));
	r = connect(fd, (struct sockaddr *)&sun,
		    offsetof(struct sockaddr_un, sun_path) + 1 + strlen(BROKER_NAME));
	if (r == 0)
		r = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
	r = r < 0 ? -errno : 0;
	close(fd);
	if (r == 0)
		*ret_uid = cred.uid;
	return r;
}

/* The daemon beside this tool, as that was called: where both are not installed. */
static void add_daemon(char *text, size_t size)
{
	const char *slash = strrchr(program_invocation_name, '/');
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*smptcpaddrd",
		 slash ? (int)(slash + 1 - program_invocation_name) : 0,
		 program_invocation_name);
	if (!slash || access(path, X_OK) < 0)
		strcpy(path, "mptcpaddrd");
	snprintf(text, size, "%s%s -u", AS_ROOT, path);
}

const char *broker_start(void)
{
	static const char *const folders[] = { "/etc", "/usr/local/lib", "/lib" };
	static char text[PATH_MAX + 16];
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		snprintf(path, sizeof(path), "%s/systemd/system/mptcpaddrd.service",
			 folders[i]);
		if (!access(path, F_OK) && !access("/run/systemd/system", F_OK))
			return geteuid() ? "sudo systemctl start mptcpaddrd"
					 : "systemctl start mptcpaddrd";
	}
	add_daemon(text, sizeof(text));
	return text;
}
