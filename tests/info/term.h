/* SPDX-License-Identifier: MIT */
/*
 * term.h - a program on a terminal of its own (tmux), whose picture can be looked at
 */
#pragma once

#include <stdbool.h>

struct host;

struct term {
	const struct host *host;
	char socket[64];
	char config[80];
};

/* @command is the shell's; when it ends, so does the terminal. */
void term_open(struct term *t, const struct host *h, int width, int height,
	       const char *command);
void term_close(struct term *t);

/* The picture, a line for each of its rows, blanks at their ends cut off; to be freed. */
char *term_picture(const struct term *t);
/* Whether there is @text in it now. */
bool term_shows(const struct term *t, const char *text);
/* A key by tmux's name for it: "q", "C-c". */
void term_key(const struct term *t, const char *key);
void term_resize(const struct term *t, int width, int height);
