// SPDX-License-Identifier: MIT
/*
 * sd_notify.c - report the state to systemd (sd_notify(3)), without its library
 */
#include "broker.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int notify_fd = -1;
static int64_t every_ms, next_ms;

void notify_open(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= sizeof(addr.sun_path) || (*name != '/' && *name != '@'))
		return;
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (connect(notify_fd, (struct sockaddr *)&addr,
		    offsetof(struct sockaddr_un, sun_path) + len + (*name == '/')) == 0 &&
	    usec && (!pid || atol(pid) == getpid()))
		every_ms = atoll(usec) / 1000 / 3;
}

void notify_state(const char *state)
{
	if (notify_fd >= 0) /* unconnected: it fails */
		send(notify_fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int notify_watchdog(int64_t now_ms)
{
	if (every_ms <= 0)
		return -1;
	if (now_ms >= next_ms) {
		next_ms = now_ms + every_ms;
		notify_state("WATCHDOG=1");
	}
	return (int)(next_ms - now_ms);
}
