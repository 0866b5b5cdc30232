/* SPDX-License-Identifier: MIT */
/*
 * frame.h - lines that fit a terminal
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum look {
	LOOK_PLAIN,
	LOOK_HEAD,  /* bold */
	LOOK_FAINT, /* what is less than the rest */
	LOOK_ALARM,
};

struct frame_line {
	enum look look;
	char *text; /* no longer than the frame is wide, no newline */
};

/* Width and height 0: no end. */
struct frame {
	int width, height;
	struct frame_line *lines;
	size_t n;
};

/* Cut, not wrapped, to the width; dropped if the frame is full. */
void frame_add(struct frame *f, enum look look, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How many lines there is room for. */
size_t frame_room(const struct frame *f);

/* frame_cut() - end @text where it would be wider than @width columns; 0: nowhere */
void frame_cut(char *text, int width);

void frame_free(struct frame *f);
