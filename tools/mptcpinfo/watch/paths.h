/* SPDX-License-Identifier: MIT */
/*
 * paths.h - the live view: connections, their paths, and what each of them carries
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct snapshot;
struct rates;
struct frame;

#define BAR_CELLS     8
#define BAR_TEXT_MAX  (BAR_CELLS * 3 + 1) /* three bytes of UTF-8 each */
#define RATE_TEXT_MAX 24

/*
 * paths_frame() - fill @f, as far as it has room
 *
 * Connections stand in the order of the snapshot if all fit, else the busiest come
 * first, and the last line tells how many are left out. @utf8: bars of finer steps.
 * Return: 0; -ENOMEM.
 */
int paths_frame(const struct snapshot *snap, const struct rates *rates, bool utf8,
		struct frame *f);

/* "9.8 MB/s": never more than nine characters; "-" for NAN. Return: @out. */
const char *rate_text(double rate, char out[static RATE_TEXT_MAX]);

/* A bar of @share (0 to 1) of BAR_CELLS cells, filled up with blanks. Return: @out. */
const char *bar_text(double share, bool utf8, char out[static BAR_TEXT_MAX]);
