/* SPDX-License-Identifier: MIT */
/*
 * subscribe.h - a socket that receives the kernel's path-manager events
 */
#pragma once

#include <stdint.h>

/*
 * subscribe_events() - join the multicast group mptcp_pm_events
 *
 * The caller owns the socket, which is close-on-exec. Needs CAP_NET_ADMIN. Return: 0;
 * -EPERM; -ENOENT: a kernel without MPTCP; other -errno.
 */
int subscribe_events(int32_t *ret_fd, uint16_t *ret_family_id);
