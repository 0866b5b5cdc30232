/* SPDX-License-Identifier: MIT */
/*
 * broker.h - whether a broker serves this network namespace
 */
#ifndef MPTCPADDR_TOOL_BROKER_H
#define MPTCPADDR_TOOL_BROKER_H

#include <sys/types.h>

/*
 * broker_find() - knock at mptcpaddrd's door
 *
 * Return: 0 with the user who answers, which programs want to be root; -errno: nobody.
 */
int broker_find(uid_t *ret_uid);

/* broker_start() - what to type to start it. */
const char *broker_start(void);

#endif
