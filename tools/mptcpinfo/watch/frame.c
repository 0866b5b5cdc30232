// SPDX-License-Identifier: MIT
/*
 * frame.c - lines that fit a terminal
 */
#include "frame.h"

#include "tools/mptcpinfo/snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

size_t frame_room(const struct frame *f)
{
	if (!f->height)
		return SIZE_MAX;
	return f->n < (size_t)f->height ? f->height - f->n : 0;
}

void frame_cut(char *text, int width)
{
	mbstate_t state = { 0 };
	int column = 0, w;
	wchar_t c;
	size_t n;

	if (!width)
		return;
	while (*text) {
		n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		if (n == (size_t)-1 || n == (size_t)-2) {
			/* Not of this locale's encoding: a terminal might do anything. */
			*text = '?';
			memset(&state, 0, sizeof(state));
			continue;
		}
		w = wcwidth(c);
		column += w > 0 ? w : 0;
		if (column > width) {
			*text = '\0';
			return;
		}
		text += n;
	}
}

void frame_add(struct frame *f, enum look look, const char *fmt, ...)
{
	struct frame_line *line;
	char *text;
	va_list ap;
	int r;

	if (!frame_room(f))
		return;
	va_start(ap, fmt);
	r = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (r < 0)
		return;
	frame_cut(text, f->width);
	line = array_grow(&f->lines, &f->n, sizeof(*line));
	if (!line) {
		free(text);
		return;
	}
	line->look = look;
	line->text = text;
}

void frame_free(struct frame *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->lines[i].text);
	free(f->lines);
	f->lines = NULL;
	f->n = 0;
}
