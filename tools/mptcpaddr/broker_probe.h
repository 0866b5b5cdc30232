/* SPDX-License-Identifier: MIT */
/*
 * broker_probe.h - whether a broker serves this network namespace
 */
#pragma once

#include <sys/types.h>

/*
 * broker_find() - knock at mptcpaddrd's door
 *
 * Return: 0 with the user who answers, which programs want to be root; -errno: nobody.
 */
int broker_find(uid_t *ret_uid);

/* broker_start() - what to type to start it. */
const char *broker_start(void);
