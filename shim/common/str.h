/* SPDX-License-Identifier: MIT */
/*
 * str.h - the few string functions of the preload library and the log
 *
 * Inline: each libc symbol costs instructions at every exec, and its first call a
 * thousand, more than these need for a whole pool file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* After a noun: "1 path", "2 paths". */
#define PLURAL(n) ((n) == 1 ? "" : "s")

/* str_is() - [@from, @to) is @word. */
static inline bool str_is(const char *from, const char *to, const char *word)
{
	while (from < to && *word && *from == *word) {
		from++;
		word++;
	}
	return from == to && !*word;
}

/* str_after() - the rest of @text after @word; NULL: @text does not begin with it. */
static inline const char *str_after(const char *text, const char *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return *word ? NULL : text;
}

static inline bool str_equal(const char *a, const char *b)
{
	a = str_after(a, b);
	return a && !*a;
}

static inline size_t str_len(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	return len;
}

/* str_base() - the rest of @path after its last slash. */
static inline const char *str_base(const char *path)
{
	const char *base = path;

	while (*path)
		if (*path++ == '/')
			base = path;
	return base;
}

/* str_zeros() - not 0 if a byte of @eight is 0: only that borrows from its top bit */
static inline uint64_t str_zeros(uint64_t eight)
{
	return (eight - 0x0101010101010101) & ~eight & 0x8080808080808080;
}

/* str_find() - the first @c in [@from, @to); @to if there is none. */
static inline const char *str_find(const char *from, const char *to, char c)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t eight;

	/* Eight at a time: after the xor a byte @c is 0. */
	for (; to - from >= 8; from += 8) {
		memcpy(&eight, from, 8);
		eight ^= ones * (unsigned char)c;
		if (str_zeros(eight))
			break;
	}
	while (from < to && *from != c)
		from++;
	return from;
}

/*
 * str_append() - copy @text with its NUL to @to[@len]; @size is that of @to
 *
 * Return: the new length, or @size if @text does not fit.
 */
static inline size_t str_append(char *to, size_t len, size_t size, const char *text)
{
	while (len < size && (to[len] = *text++))
		len++;
	return len;
}

/*
 * str_clean() - replace control characters by '?', for logs and terminals
 *
 * Those above 0x7f, too: two bytes in UTF-8, which terminals obey, or a stray byte.
 */
static inline void str_clean(char *text, size_t len)
{
	unsigned int more = 0; /* bytes of this character */
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = text[i];
		if (more && (c & 0xc0) == 0x80) {
			more--;
			continue;
		}
		more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2;
		if (c == 0xc2 && i + 1 < len && (text[i + 1] & 0xe0) == 0x80)
			more = 0; /* U+0080 to U+009F */
		if (!more && (c < ' ' || c >= 0x7f))
			text[i] = '?';
	}
}

/* str_number() - write @number in decimal, with its NUL at @last. Return: its first
 * digit. */
static inline const char *str_number(char *last, uint64_t number)
{
	*last = '\0';
	do
		*--last = '0' + number % 10;
	while (number /= 10);
	return last;
}

/* STR_APPEND() - the same for a literal: no loop. */
#define STR_APPEND(to, len, size, literal) \
	str_append_literal(to, len, size, "" literal, sizeof(literal))

static inline __attribute__((always_inline)) size_t str_append_literal(
	char *to, size_t len, size_t size, const char *text, size_t text_size)
{
	if (len >= size || text_size > size - len)
		return size;
	memcpy(to + len, text, text_size);
	return len + text_size - 1;
}
