/* SPDX-License-Identifier: MIT */
/*
 * registration.h - programs that connect to the broker and register their connections
 */
#pragma once

#include "broker.h"

#include <poll.h>

/* registration_open() - take the name; programs are refused until registration_listen().
 */
int registration_open(struct broker *b);
int registration_listen(struct broker *b);

/* registration_accept() - serve all programs that have connected. */
void registration_accept(struct broker *b);

/* Peers that are connected, without a request so far. */
unsigned int registration_poll_fill(const struct broker *b, struct pollfd *fds);
void registration_serve_peers(struct broker *b, const struct pollfd *fds);
int registration_timeout(const struct broker *b);
