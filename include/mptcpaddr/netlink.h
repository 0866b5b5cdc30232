/* SPDX-License-Identifier: MIT */
/*
 * netlink.h - generic netlink family mptcp_pm: events in, commands out
 */
#pragma once

#include "mptcpaddr/pm.h"

#include <stddef.h>

struct nlmsghdr;
struct pmnl;

/*
 * pmnl_open() - a socket for commands to family @family_id
 *
 * Return: 0, and the caller closes *ret_pmnl with pmnl_close(); -errno.
 */
int pmnl_open(uint16_t family_id, struct pmnl **ret_pmnl);
void pmnl_close(struct pmnl *pmnl); /* accepts NULL */

/*
 * pmnl_command() - carry out @cmd and wait for the kernel's answer, which is immediate
 *
 * Return: 0 or -errno (net/mptcp/pm_userspace.c); -ENODEV if cmd->if_idx is -1.
 */
int pmnl_command(struct pmnl *pmnl, const struct pm_cmd *cmd);

/*
 * pmnl_event_parse() - read an event message
 *
 * Return: 0; -ENOMSG for messages that say nothing to the engine; -EBADMSG.
 */
int pmnl_event_parse(const struct nlmsghdr *nlh, uint16_t family_id,
		     struct pm_event *ret_event);

#define PMNL_BATCH 32

/*
 * pmnl_events_read() - read what waits on the non-blocking event socket @fd
 *
 * At most PMNL_BATCH datagrams are read; @ret_events, with room for as many, receives
 * the *@ret_n events among them. Return: how many datagrams were read, 0: none waits;
 * -ENOBUFS: some were lost; other -errno.
 */
int pmnl_events_read(int fd, uint16_t family_id, struct pm_event *ret_events,
		     unsigned int *ret_n);
