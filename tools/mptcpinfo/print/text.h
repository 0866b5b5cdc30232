/* SPDX-License-Identifier: MIT */
/*
 * text.h - how single values are written and read
 */
#pragma once

#include "tools/mptcpinfo/snapshot.h"

#include <stddef.h>
#include <stdint.h>

/* "[ipv6%interface]:port" and the NUL */
#define ADDR_TEXT_MAX 80

/* 10.0.1.2:4444 or [2001:db8::1]:4444. Return: @out. */
const char *addr_text(const struct inet_addr *addr, char out[static ADDR_TEXT_MAX]);

#define IP_TEXT_MAX 48

/* The address alone: 10.0.1.2 or 2001:db8::1. Return: @out. */
const char *ctl_ip_text(const struct mpaddr *addr, char out[static IP_TEXT_MAX]);
/* The same address for addr_text(). */
void ctl_addr_take(const struct mpaddr *addr, struct inet_addr *ret_addr);

/* Why it is not joined; "" if it is. */
const char *announced_reason(const struct pm_announced_report *record,
			     char out[static NOTE_REASON_MAX]);

/* The words of the JSON. */
const char *manager_text(const struct snapshot *snap, const struct connection *conn);
const char *endpoint_text(enum endpoint_state state);
const char *announced_text(enum announced_state state);
/* @bit: one of MPTCP_PM_ADDR_FLAG_*. NULL: none that a pool file can have. */
const char *endpoint_flag_text(uint32_t bit);

/* The words that ss takes in its filters: "established", "syn-sent", ... */
const char *state_text(uint8_t state);

/* Three digits and a unit, for people: "0", "999", "1.23k", "300k", "45.6M". */
#define SCALED_MAX 8
const char *scaled_text(uint64_t value, char out[static SCALED_MAX]);
/* The same of a time: "40us", "12.3ms", "1.50s". */
#define RTT_MAX 12
const char *rtt_text(uint32_t us, char out[static RTT_MAX]);

/*
 * text_clean() - copy text that somebody else chose, for a terminal
 *
 * Control characters, C1 in UTF-8 among them, become '?': a process name must not
 * move the cursor. @src need not end in NUL within @src_size.
 */
void text_clean(char *dst, size_t dst_size, const char *src, size_t src_size);

/* A token as printed (0x9c2f0012) or in decimal. Return: 0, -EINVAL. */
int token_parse(const char *text, uint32_t *ret_token);

/* The first line of a small file. Return: 0 or -errno. */
int read_line(const char *path, char *out, size_t size);
