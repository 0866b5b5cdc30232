/* SPDX-License-Identifier: MIT */
/*
 * broker.h - register connections with mptcpaddrd (mptcpaddr/broker.h)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* broker_is_running() - a broker of root's listens in this network namespace. */
bool broker_is_running(void);

/*
 * broker_register() - register the connection @token; @flags: BROKER_FLAG_*
 *
 * Waits only if the broker's queue is full (a client floods it): for 0.1 s at most, and
 * not again within a second of a timeout. Return: false if no broker runs any more.
 */
bool broker_register(uint32_t token, uint16_t flags);
