/* SPDX-License-Identifier: MIT */
/*
 * default_routes.h - which interfaces lead to the Internet
 */
#pragma once

#include <stdint.h>

/*
 * default_routes_read() - call @fn for each default route of any table: policy routing
 * has one for each uplink
 *
 * Return: 0; -errno.
 */
int default_routes_read(void (*fn)(void *ctx, int if_idx, uint32_t metric), void *ctx);
