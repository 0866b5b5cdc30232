// SPDX-License-Identifier: MIT
/*
 * screen.c - frames of lines, and the terminal that they are drawn on
 *
 * Uses sequences that all terminals of the last decades know (ECMA-48, and xterm's
 * alternate screen, which restores the previous contents at the end), so no terminal
 * library is needed: each line is written over the previous one.
 */
#include "watch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

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

bool screen_is_usable(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

void screen_read_size(struct screen *s)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	s->width = size.ws_col ? size.ws_col : WIDTH_DEFAULT;
	s->height = size.ws_row ? size.ws_row : HEIGHT_DEFAULT;
}

int screen_enter(struct screen *s)
{
	struct termios raw;

	screen_read_size(s);
	s->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &s->before) == 0;
	if (s->keys) {
		raw = s->before;
		/* ISIG stays set: ^C and ^Z send their signals. */
		raw.c_lflag &= ~(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
			return -errno;
	}
	return stdout_write(ENTER, strlen(ENTER));
}

void screen_leave(struct screen *s)
{
	stdout_write(LEAVE, strlen(LEAVE));
	if (s->keys)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
	s->keys = false;
}

char screen_read_key(struct screen *s)
{
	char key;
	ssize_t n;

	if (!s->keys)
		return 0;
	n = read(STDIN_FILENO, &key, 1);
	if (n == 1)
		return key;
	if (n < 0 && (errno == EIO || errno == ENXIO))
		s->keys = false; /* no terminal any more */
	return 0;
}

size_t frame_room(const struct frame *f)
{
	if (!f->height)
		return SIZE_MAX;
	return f->n < (size_t)f->height ? f->height - f->n : 0;
}

void frame_open(struct frame *f)
{
	page_open(&f->page);
	if (f->height)
		fputs(HOME, f->page.out);
}

int frame_write(struct frame *f)
{
	if (!f->height)
		fputc('\n', f->page.out);
	else if (frame_room(f))
		fputs("\r\n" ERASE_BELOW, f->page.out);
	return page_write(&f->page);
}

/* End @text where it would be wider than @width columns; 0: nowhere. */
static void frame_cut(char *text, int width)
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
			/* Invalid in this locale: the terminal's reaction is unknown. */
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

void frame_add(struct frame *f, enum paint paint, const char *fmt, ...)
{
	char *text;
	va_list ap;

	if (!frame_room(f))
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		memory_die();
	va_end(ap);
	frame_cut(text, f->width);
	/*
	 * No newline after the last line: it would scroll. Erase before the text: at the
	 * right edge, erasing after it would remove the last character.
	 */
	if (f->height)
		fprintf(f->page.out, "%s" ERASE_LINE "%s%s%s", f->n ? "\r\n" : "",
			paint_on(f->colour, paint), text, paint_off(f->colour));
	else
		fprintf(f->page.out, "%s\n", text);
	f->n++;
	free(text);
}
