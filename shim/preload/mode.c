// SPDX-License-Identifier: MIT
/*
 * mode.c - what the library does in this program
 *
 * The protocol is fixed at socket(), so `[app] mptcp = no` must be known then. This is
 * the only word of the pool file that is read here; whether the file is valid, and
 * everything else that it says, is the path manager's business (config.c).
 */
#include "mode.h"
#include "poolfile.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define SCAN_SIZE 16384 /* of the pool file; config.c reads all of it */

static _Atomic int decided;

/* The text without the blanks around it, of [*from, *to). */
static void trim(const char **from, const char **to)
{
	while (*from < *to && (**from == ' ' || **from == '\t' || **from == '\r'))
		(*from)++;
	while (*to > *from &&
	       ((*to)[-1] == ' ' || (*to)[-1] == '\t' || (*to)[-1] == '\r'))
		(*to)--;
}

static bool is_word(const char *from, const char *to, const char *word)
{
	return (size_t)(to - from) == strlen(word) && !memcmp(from, word, to - from);
}

/* Whether a line says "mptcp = no", as inih would split it. */
static bool line_refuses(const char *from, const char *to)
{
	const char *equals = memchr(from, '=', to - from), *name_end, *value;
	const char *comment;

	if (!equals)
		equals = memchr(from, ':', to - from);
	if (!equals)
		return false;
	name_end = equals;
	trim(&from, &name_end);
	value = equals + 1;
	comment = memchr(value, ';', to - value);
	if (comment && comment > value && (comment[-1] == ' ' || comment[-1] == '\t'))
		to = comment;
	trim(&value, &to);
	return is_word(from, name_end, "mptcp") && is_word(value, to, "no");
}

static bool text_refuses(const char *text, size_t len)
{
	const char *end = text + len, *from, *to, *next;
	bool in_app = false;

	for (from = text; from < end; from = next) {
		to = memchr(from, '\n', end - from);
		if (!to)
			to = end;
		next = to + 1;
		trim(&from, &to);
		if (from < to && *from == '[')
			in_app = to - from >= 5 && !memcmp(from, "[app]", 5);
		else if (in_app && line_refuses(from, to))
			return true;
	}
	return false;
}

static enum mode decide(void)
{
	const char *disable = secure_getenv("MPTCPADDR_DISABLE");
	char path[PATH_MAX], text[SCAN_SIZE];
	ssize_t n;
	int fd;

	if (getauxval(AT_SECURE) || (disable && *disable && strcmp(disable, "0")))
		return MODE_OFF;
	fd = poolfile_open(path);
	if (fd < 0)
		return fd == -ENOENT ? MODE_PLAIN : MODE_POOL; /* the log says why */
	n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 && text_refuses(text, n) ? MODE_OFF : MODE_POOL;
}

enum mode mode_known(void)
{
	return atomic_load_explicit(&decided, memory_order_relaxed);
}

enum mode mode_get(void)
{
	enum mode mode = mode_known();
	int saved = errno;

	if (mode != MODE_UNKNOWN)
		return mode;
	mode = decide(); /* threads that race decide the same */
	atomic_store_explicit(&decided, mode, memory_order_relaxed);
	errno = saved;
	return mode;
}
