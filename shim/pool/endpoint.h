/* SPDX-License-Identifier: MIT */
/*
 * endpoint.h - parse, edit and resolve the endpoints of a pool
 */
#pragma once

#include "mptcpaddr/pool.h"

struct rtnl_table;

/* pool_error_set() - put a message into @why. Return: @error. */
__attribute__((format(printf, 3, 4))) int pool_error_set(struct pool_error *why,
							 int error, const char *fmt, ...);
#define pool_reject(why, ...) pool_error_set(why, -EINVAL, __VA_ARGS__)

/* parse_range() - read decimal digits. Return: 0; -EINVAL with @why naming @what. */
int parse_range(const char *what, const char *text, unsigned int min, unsigned int max,
		unsigned int *ret_value, struct pool_error *why);

/*
 * endpoint_parse() - read "10.0.2.1 dev eth1 id 7 laminar backup", the words of
 * `ip mptcp endpoint add`
 *
 * @words is changed. The default kind is `laminar`. Return: 0; -EINVAL with @why filled.
 */
int endpoint_parse(char *words, struct endpoint *ret_ep, struct pool_error *why);

/*
 * endpoint_append() - add @ep to section ep->section of @pool
 *
 * Return: 0; -EINVAL with @why filled: a duplicate, its ID is taken, the pool is full.
 */
int endpoint_append(struct pool *pool, const struct endpoint *ep, struct pool_error *why);

/* endpoint_assign_ids() - give endpoints without an ID the lowest free ones, in order. */
void endpoint_assign_ids(struct pool *pool);

/* endpoint_format() - print the words; @text has room for ENDPOINT_TEXT_MAX. */
#define ENDPOINT_TEXT_MAX 192
const char *endpoint_format(const struct endpoint *ep, char *text);

/* endpoint_find() - by address, or by device if @ep has none. Return: index; -1. */
int endpoint_find(const struct pool *pool, const struct endpoint *ep);

/*
 * pool_edit() - change @spec: "endpoint add|del|change WORDS", "endpoint flush", "limits
 * subflows N add_addr_accepted N"
 *
 * @resolved has the IDs of the endpoints now in force. @words is changed, and after an
 * error @spec may be. Return: 0; -EINVAL, -ENOENT with @why filled.
 */
int pool_edit(struct pool *spec, const struct pool *resolved, char *words,
	      struct pool_error *why);

/*
 * pool_resolve() - @spec, a pool file's, with the addresses of @table
 *
 * A device is replaced by its addresses. Endpoints of @before (NULL: none) keep their
 * IDs, and are ENDPOINT_DOWN if their address is no longer there.
 */
void pool_resolve(const struct pool *spec, const struct rtnl_table *table,
		  const struct pool *before, struct pool *ret_pool);
