/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the live view: --watch
 */
#pragma once

#include "tools/mptcpinfo/print/print.h"

#include <termios.h>

struct options;

/* --watch: a snapshot every o->interval_ms, until SIGINT. Return: the exit status. */
int watch_main(const struct options *o);

/* Lines that fit a terminal. Width and height 0: no limit, and no terminal. */
struct frame {
	int width, height;
	bool colour;
	size_t n; /* lines */
	struct page page;
};

void frame_open(struct frame *f);
/* Write @f at once, on a terminal over the previous one; frees it. 0 or -errno. */
int frame_write(struct frame *f);
/* Add a line, cut to the width, not wrapped; dropped if the frame is full. */
void frame_add(struct frame *f, enum paint paint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The number of lines that still fit. */
size_t frame_room(const struct frame *f);

/* A terminal that is drawn on and then restored. */
struct screen {
	bool keys; /* standard input is the terminal: keys are read one by one */
	struct termios before;
	int width, height;
};

/* Whether standard output is a terminal that can be drawn on. */
bool screen_is_usable(void);
/* Return: 0; -errno with the terminal unchanged. */
int screen_enter(struct screen *s);
void screen_leave(struct screen *s);
void screen_read_size(struct screen *s);
/* The next key, or 0. */
char screen_read_key(struct screen *s);

/* Set the rates of @snap, taken @seconds after @before. */
void paths_set_rates(struct snapshot *snap, const struct snapshot *before,
		     double seconds);

/*
 * paths_frame() - fill @f, as far as it has room
 *
 * Connections have the order of the snapshot if all fit. Otherwise the busiest come first
 * and the last line counts the others. @utf8: bars of finer steps.
 */
void paths_frame(const struct snapshot *snap, bool utf8, struct frame *f);
