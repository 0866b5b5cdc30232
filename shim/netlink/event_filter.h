/* SPDX-License-Identifier: MIT */
/*
 * event_filter.h - which events wake us: a filter on the event socket, in the kernel
 */
#pragma once

#include <stdint.h>

#define EVENT_FILTER_TOKENS_MAX 256

/*
 * event_filter_set_useful() - no events that the engine has no use for
 *
 * CREATED above all: it comes while the application is still inside connect(), and says
 * nothing that ESTABLISHED does not say again before any ADD_ADDR can come.
 */
void event_filter_set_useful(int fd);

/*
 * event_filter_set_tokens() - likewise, and of those only what is about these @n
 * connections
 * @tokens: host order, at most EVENT_FILTER_TOKENS_MAX
 *
 * Return: 0 or -errno (a sandbox, net.core.optmem_max): then the filter is as it was.
 */
int event_filter_set_tokens(int fd, const uint32_t *tokens, unsigned int n);

/* event_filter_remove() - every event; much faster than another filter. Return: 0 or
 * -errno. */
int event_filter_remove(int fd);
