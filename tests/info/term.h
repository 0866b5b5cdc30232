/* SPDX-License-Identifier: MIT */
/*
 * term.h - a program on its own terminal (tmux), whose screen can be read
 */
#pragma once

#include <stdbool.h>

struct host;

struct term {
	const struct host *host;
	char socket[64];
	char config[80];
};

/* @command is for the shell; the terminal ends with it. */
void term_open(struct term *t, const struct host *h, int width, int height,
	       const char *command);
void term_close(struct term *t);

/* The screen, one line per row, without trailing blanks; to be freed. */
char *term_picture(const struct term *t);
/* Whether the screen contains @text. */
bool term_shows(const struct term *t, const char *text);
/* A key by tmux's name for it: "q", "C-c". */
void term_key(const struct term *t, const char *key);
void term_resize(const struct term *t, int width, int height);
