/* SPDX-License-Identifier: MIT */
/*
 * subscribe.h - a socket that receives the kernel's path-manager events
 */
#pragma once

#include <stdint.h>

/*
 * subscribe_events() - join the group mptcp_pm_events
 *
 * The socket is non-blocking and close-on-exec, and the caller's. Needs CAP_NET_ADMIN.
 * Return: 0; -EPERM; -ENOENT without MPTCP in the kernel; other -errno.
 */
int subscribe_events(int32_t *ret_fd, uint16_t *ret_family_id);
