/* SPDX-License-Identifier: MIT */
/*
 * text.h - what the first socket() of every program needs of <string.h>
 *
 * Inline: the first call of a libc function costs the dynamic linker a thousand
 * instructions, more than these take on a pool file.
 */
#ifndef MPTCPADDR_TEXT_H
#define MPTCPADDR_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Whether [@from, @to) is the text @word. */
static inline bool text_is(const char *from, const char *to, const char *word)
{
	while (from < to && *word && *from == *word) {
		from++;
		word++;
	}
	return from == to && !*word;
}

/* text_find() - the first @c in [@from, @to); @to if there is none. */
static inline const char *text_find(const char *from, const char *to, char c)
{
	while (from < to && *from != c)
		from++;
	return from;
}

/*
 * text_append() - copy @text to @to[@len], of @size bytes in all, and its NUL
 *
 * Return: the new length, or @size if there is no room.
 */
static inline size_t text_append(char *to, size_t len, size_t size, const char *text)
{
	while (len < size && (to[len] = *text++))
		len++;
	return len;
}

#endif
