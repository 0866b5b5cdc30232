/* SPDX-License-Identifier: MIT */
/*
 * text.h - how single values are written and read
 */
#ifndef MPTCPINFO_TEXT_H
#define MPTCPINFO_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct inet_addr;

/* "[ipv6%interface]:port" and the NUL */
#define ADDR_TEXT_MAX 80

/* 10.0.1.2:4444 or [2001:db8::1]:4444. Return: @out. */
const char *addr_text(const struct inet_addr *addr, char out[static ADDR_TEXT_MAX]);

/* The words that ss takes in its filters: "established", "syn-sent", ... */
const char *state_text(uint8_t state);

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

#endif
