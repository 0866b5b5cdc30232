/* SPDX-License-Identifier: MIT */
/*
 * watch.h - the live view: --watch
 */
#pragma once

#include "tools/mptcpinfo/print/print.h"

/* --watch: a snapshot every o->interval_ms, until SIGINT. Return: the exit status. */
int watch_main(const struct options *o);

/* Lines that fit a terminal. Width and height 0: no limit, and no terminal. */
struct frame {
	int width, height;
	bool colour;
	bool utf8; /* bars and histories of finer steps */
	int cells; /* of a history */
	size_t n;  /* lines */
	struct page page;
};

/* Add a line, cut to the width, not wrapped; dropped if the frame is full. */
void frame_add(struct frame *f, enum paint paint, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The number of lines that still fit. */
size_t frame_room(const struct frame *f);

/* Set the rates of @snap, taken @seconds after @before, which loses its histories. */
void paths_set_rates(struct snapshot *snap, struct snapshot *before, double seconds);

/*
 * paths_frame() - fill @f, as far as it has room
 *
 * Connections have the order of the snapshot if all fit. Otherwise the busiest come first
 * and the last line counts the others. Reasons for missing paths are shown if all fit.
 */
void paths_frame(const struct snapshot *snap, struct frame *f);
