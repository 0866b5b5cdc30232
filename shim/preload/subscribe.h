/* SPDX-License-Identifier: MIT */
/*
 * subscribe.h - a socket that receives the kernel's path-manager events
 */
#ifndef MPTCPADDR_SUBSCRIBE_H
#define MPTCPADDR_SUBSCRIBE_H

#include <stdint.h>

/*
 * subscribe() - join the group mptcp_pm_events
 *
 * The socket is non-blocking and close-on-exec, and the caller's. Needs CAP_NET_ADMIN.
 * Return: 0; -EPERM; -ENOENT without MPTCP in the kernel; other -errno.
 */
int subscribe(int32_t *ret_fd, uint16_t *ret_family_id);

/*
 * subscribe_narrow() - no wake-up for events that the engine has no use for
 *
 * CREATED above all: it comes while the application is still inside connect(), and says
 * nothing that ESTABLISHED does not say again before any ADD_ADDR can come. Takes some
 * 40 us, so not before the SYN. A failure does no harm.
 */
void subscribe_narrow(int32_t fd);

#endif
