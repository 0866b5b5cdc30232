/* SPDX-License-Identifier: MIT */
/*
 * paint.h - colours of a terminal
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum paint {
	PAINT_HEAD,  /* what a block is about */
	PAINT_LABEL, /* names of columns and rows */
	PAINT_GOOD,
	PAINT_WARN,
	PAINT_BAD,
};

/* What to write before and after a text; "" without @colour. */
static inline const char *paint(bool colour, enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_HEAD] = "\033[1m",  [PAINT_LABEL] = "\033[2m",
		[PAINT_GOOD] = "\033[32m", [PAINT_WARN] = "\033[33m",
		[PAINT_BAD] = "\033[31m",
	};

	return colour ? codes[paint] : "";
}

static inline const char *unpaint(bool colour)
{
	return colour ? "\033[0m" : "";
}
