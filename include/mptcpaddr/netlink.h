/* SPDX-License-Identifier: MIT */
/*
 * netlink.h - generic netlink family mptcp_pm: events in, commands out
 */
#pragma once

#include "mptcpaddr/pm.h"

#include <stddef.h>

struct nlmsghdr;

/* pm_command_open() - a socket for pm_command_send(). Return: it; -errno. */
int pm_command_open(void);

/*
 * pm_command_send() - execute @cmd and wait for the kernel's answer, which is immediate
 *
 * @family_id: of mptcp_pm. Return: 0 or -errno (net/mptcp/pm_userspace.c); -ENODEV if
 * cmd->if_idx is -1.
 */
int pm_command_send(int fd, uint16_t family_id, const struct pm_cmd *cmd);

/* pm_event_parse() - Return: 0; -ENOMSG: a message that is not used; -EBADMSG. */
int pm_event_parse(const struct nlmsghdr *nlh, uint16_t family_id,
		   struct pm_event *ret_event);

#define PM_EVENTS_BATCH 32

/*
 * pm_events_read() - read up to PM_EVENTS_BATCH datagrams from event socket @fd
 *
 * @ret_events, with room for as many, receives the *@ret_n events among them. Return: the
 * number of datagrams, 0: none is queued; -ENOBUFS: some were lost; other -errno.
 */
int pm_events_read(int fd, uint16_t family_id, struct pm_event *ret_events,
		   unsigned int *ret_n);

#define EVENT_FILTER_TOKENS_MAX 256

/* event_filter_set_useful() - drop new listeners, and CREATED: ESTABLISHED repeats it. */
void event_filter_set_useful(int fd);

/*
 * event_filter_set_tokens() - likewise, and drop what is not about these @n connections
 *
 * @tokens: host order, at most EVENT_FILTER_TOKENS_MAX. Return: 0; -errno (a sandbox,
 * net.core.optmem_max) with the filter unchanged.
 */
int event_filter_set_tokens(int fd, const uint32_t *tokens, unsigned int n);

/* event_filter_remove() - faster than another filter. Return: 0 or -errno. */
int event_filter_remove(int fd);
