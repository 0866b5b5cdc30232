/* SPDX-License-Identifier: MIT */
/*
 * event_filter.h - which events wake us: a filter on the event socket, in the kernel
 */
#pragma once

#include <stdint.h>

#define EVFILTER_TOKENS_MAX 256

/*
 * evfilter_useful() - no events that the engine has no use for
 *
 * CREATED above all: it comes while the application is still inside connect(), and says
 * nothing that ESTABLISHED does not say again before any ADD_ADDR can come.
 */
void evfilter_useful(int fd);

/*
 * evfilter_tokens() - likewise, and of those only what is about these @n connections
 * @tokens: host order, at most EVFILTER_TOKENS_MAX
 *
 * Return: 0 or -errno (a sandbox, net.core.optmem_max): then the filter is as it was.
 */
int evfilter_tokens(int fd, const uint32_t *tokens, unsigned int n);

/* evfilter_none() - every event; much faster than another filter. Return: 0 or -errno. */
int evfilter_none(int fd);
