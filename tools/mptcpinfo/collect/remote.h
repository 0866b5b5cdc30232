/* SPDX-License-Identifier: MIT */
/*
 * remote.h - which peers are wanted: ADDRESS[/LEN][:PORT]
 */
#pragma once

#include <stdbool.h>

struct inet_addr;
struct remote;

/*
 * remote_parse() - "10.0.1.1", "10.0.0.0/8:443", "2001:db8::/32", "[2001:db8::1]:443",
 * "[2001:db8::]/32:443" or ":443"
 *
 * Return: 0; -EINVAL, also for an address with bits beyond the length.
 */
int remote_parse(const char *text, struct remote *ret_remote);

bool remote_matches(const struct remote *remote, const struct inet_addr *addr);
