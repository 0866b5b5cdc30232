/* SPDX-License-Identifier: MIT */
/*
 * broker.h - connections that mptcpaddrd looks after (mptcpaddr/broker.h)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* broker_is_running() - whether one of root's listens in this network namespace. */
bool broker_is_running(void);

/*
 * broker_register() - tell it of the connection @token
 *
 * Waits only where the broker's queue is full (somebody floods it): at most 0.1 s, and
 * not again in the second in which that was in vain. Return: false if there is none any
 * more.
 */
bool broker_register(uint32_t token, bool v6only);
