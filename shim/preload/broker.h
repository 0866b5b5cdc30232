/* SPDX-License-Identifier: MIT */
/*
 * broker.h - register connections with mptcpaddrd (mptcpaddr/broker.h)
 */
#pragma once

#include "mptcpaddr/first.h"

#include <stdbool.h>
#include <stdint.h>

/* broker_is_running() - a broker of root's listens in this network namespace. */
bool broker_is_running(void);

/*
 * broker_register() - register the connection @token; @flags: BROKER_FLAG_*
 *
 * @lazily: the broker need not wake up before an event of this connection.
 * Waits only if the broker's queue is full (a client floods it): for 0.1 s at most, and
 * not again within a second of a timeout. Return: 0; -EAGAIN: no room now; -ECONNREFUSED:
 * no broker runs any more.
 */
int broker_register(uint32_t token, uint16_t flags, enum first_why why, bool lazily);

/*
 * broker_ask_first() - which endpoints to leave from
 *
 * Waits for 0.1 s at most, and not again within a second. Return: false: no table.
 */
bool broker_ask_first(struct first_table *ret_table);

/* broker_avoid_first() - endpoint @index of that table did not answer. */
void broker_avoid_first(unsigned int index);
