/* SPDX-License-Identifier: MIT */
/*
 * screen.h - a terminal that is drawn on, and given back as it was
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

struct frame;

struct screen {
	bool keys; /* standard input is the terminal: keys are read one by one */
	struct termios before;
	int width, height;
};

/* Whether standard output is a terminal that can be drawn on. */
bool screen_usable(void);

/* Return: 0 or -errno; then nothing has changed. */
int screen_enter(struct screen *s);
/* As it was before; harmless if that was done. */
void screen_leave(struct screen *s);
/* Reads the size anew. */
void screen_size(struct screen *s);

/* @f is drawn over what there was, in one write. Return: 0 or -errno. */
int screen_draw(const struct screen *s, const struct frame *f, bool colour);

/* The next key, 0 if there is none. */
char screen_key(struct screen *s);
