// SPDX-License-Identifier: MIT
/*
 * screen.c - a terminal that is drawn on, and given back as it was
 *
 * A handful of sequences that every terminal of the last decades has (ECMA-48, and
 * xterm's alternate screen), so no terminal library: the view is lines of text, each of
 * which is written over the one before. In the alternate screen what the user had there
 * comes back at the end.
 */
#include "screen.h"

#include "frame.h"
#include "tools/mptcpinfo/print/emit.h"
#include "tools/mptcpinfo/print/paint.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ALTERNATE_ON  "\033[?1049h"
#define ALTERNATE_OFF "\033[?1049l"
#define CURSOR_OFF    "\033[?25l"
#define CURSOR_ON     "\033[?25h"
#define WRAP_OFF      "\033[?7l"
#define WRAP_ON	      "\033[?7h"
#define HOME	      "\033[H"
#define ERASE_LINE    "\033[K"
#define ERASE_BELOW   "\033[J"

#define ENTER ALTERNATE_ON CURSOR_OFF WRAP_OFF
#define LEAVE WRAP_ON CURSOR_ON ALTERNATE_OFF

#define WIDTH_DEFAULT  80
#define HEIGHT_DEFAULT 24

bool screen_usable(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void screen_size(struct screen *s)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	s->width = size.ws_col ? size.ws_col : WIDTH_DEFAULT;
	s->height = size.ws_row ? size.ws_row : HEIGHT_DEFAULT;
}

int screen_enter(struct screen *s)
{
	struct termios raw;

	screen_size(s);
	s->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &s->before) == 0;
	if (s->keys) {
		raw = s->before;
		/* ISIG stays: ^C and ^Z mean what they always do. */
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
			return -errno;
	}
	return emit(ENTER, strlen(ENTER));
}

void screen_leave(struct screen *s)
{
	emit(LEAVE, strlen(LEAVE));
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
	s->keys = false;
}

char screen_key(struct screen *s)
{
	char key;
	ssize_t n;

	if (!s->keys)
		return 0;
	n = read(STDIN_FILENO, &key, 1);
	if (n == 1)
		return key;
	if (n < 0 && (errno == EIO || errno == ENXIO))
		s->keys = false; /* the terminal has gone */
	return 0;
}

static const char *look_on(bool colour, enum look look)
{
	switch (look) {
	case LOOK_PLAIN:
		break;
	case LOOK_HEAD:
		return paint(colour, PAINT_HEAD);
	case LOOK_FAINT:
		return paint(colour, PAINT_LABEL);
	case LOOK_ALARM:
		return paint(colour, PAINT_BAD);
	}
	return "";
}

int screen_draw(const struct screen *s, const struct frame *f, bool colour)
{
	char *text = NULL;
	size_t size, i;
	FILE *out;
	int r;

	out = open_memstream(&text, &size);
	if (!out)
		return -errno;
	fputs(HOME, out);
	for (i = 0; i < f->n && i < (size_t)s->height; i++) {
		/*
		 * No newline behind the last line: it would scroll. Erased before and not
		 * after: at the right edge that would take the last character.
		 */
		fprintf(out, "%s" ERASE_LINE "%s%s%s", i ? "\r\n" : "",
			look_on(colour, f->lines[i].look), f->lines[i].text,
			unpaint(colour));
	}
	if (i < (size_t)s->height)
		fputs("\r\n" ERASE_BELOW, out);
	r = fclose(out) == 0 ? emit(text, size) : -ENOMEM;
	free(text);
	return r;
}
