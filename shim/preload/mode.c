// SPDX-License-Identifier: MIT
/*
 * mode.c - whether this program gets MPTCP and a manager
 *
 * The protocol is fixed at socket(), so `[app] mptcp = no` must be known then. Only that
 * key, `tolerate` and `keepalive` are read here; shim/pool/parse.c checks the file and
 * reads the rest.
 */
#include "mode.h"
#include "env.h"
#include "log_request.h"
#include "pool_file.h"
#include "shim/common/sockopt.h"
#include "shim/common/str.h"
#include "syscall.h"

#include <sys/types.h>

#define SCAN_SIZE   512	 /* read at once; parse.c rejects lines longer than 200 */
#define SCAN_CHUNKS 5000 /* more than the lines that parse.c accepts */

static _Atomic int decided;
static _Atomic unsigned int keepalive;		      /* seconds; 0: none */
static _Atomic bool first_chosen;		      /* [app] first, not routing */
static _Atomic uint32_t tolerated[SOCKOPTS_MAX / 32]; /* by the index in sockopts[] */
static _Atomic unsigned int signals; /* as of the last time that the file was readable */

/* As isspace(), which inih uses. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Shorten [*from, *to) by the blanks around it. */
static void scan_trim(const char **from, const char **to)
{
	while (*from < *to && is_blank(**from))
		(*from)++;
	while (*to > *from && is_blank((*to)[-1]))
		(*to)--;
}

struct scan {
	/* Called with each line, without the blanks around it. */
	void (*line)(struct scan *scan, const char *from, const char *to);
	bool in_app, refused; /* the last `mptcp` of [app] counts, as in parse.c */
	bool first;	      /* likewise, `first`, unless it is routing */
	unsigned int signals; /* MODE_SIGNAL, MODE_PORT */
	unsigned int keepalive;
};

/* parse.c reports unknown words. */
static void scan_tolerate(const char *from, const char *to)
{
	const struct sockopt *opt;
	const char *end;

	for (; from < to; from = end + 1) {
		end = from;
		while (end < to && *end != ' ' && *end != '\t' && *end != ',')
			end++;
		opt = sockopt_named(from, end);
		if (opt)
			atomic_fetch_or(&tolerated[(opt - sockopts) / 32],
					UINT32_C(1) << (opt - sockopts) % 32);
	}
}

/* "30s", "2m", "1500ms"; a bare number is seconds. */
static unsigned int scan_seconds(const char *from, const char *to)
{
	unsigned int n = 0;

	for (; from < to && *from >= '0' && *from <= '9' && n < 100000000; from++)
		n = 10 * n + *from - '0';
	if (str_is(from, to, "ms"))
		return (n + 999) / 1000;
	return str_is(from, to, "m") ? 60 * n : n;
}

/* Split a line at the first '=' or ':', like inih. */
static void scan_line(struct scan *scan, const char *from, const char *to)
{
	const char *name_end = from, *value, *comment;

	if (from < to && *from == '[') {
		scan->in_app = to - from >= 5 && str_is(from, from + 5, "[app]");
		return;
	}
	if (!scan->in_app)
		return;
	while (name_end < to && *name_end != '=' && *name_end != ':')
		name_end++;
	if (name_end == to)
		return;
	value = name_end + 1;
	comment = str_find(value, to, ';');
	if (comment < to && comment > value && is_blank(comment[-1]))
		to = comment;
	scan_trim(&from, &name_end);
	scan_trim(&value, &to);
	if (str_is(from, name_end, "mptcp"))
		scan->refused = str_is(value, to, "no");
	else if (str_is(from, name_end, "keepalive"))
		scan->keepalive = scan_seconds(value, to);
	else if (str_is(from, name_end, "first"))
		scan->first = !str_is(value, to, "routing");
	else if (str_is(from, name_end, "tolerate"))
		scan_tolerate(value, to);
}

/* endpoint = ... signal ... */
static void scan_for_signal(struct scan *scan, const char *from, const char *to)
{
	const char *end;

	if (to - from < 8 || !str_is(from, from + 8, "endpoint"))
		return;
	for (; from < to && *from != ';'; from = end + 1) {
		end = from;
		while (end < to && *end != ' ' && *end != '\t' && *end != '=')
			end++;
		scan->signals |= str_is(from, end, "signal") ? MODE_SIGNAL : 0;
		scan->signals |= str_is(from, end, "port") ? MODE_PORT : 0;
	}
}

/* Scan the whole lines of @text; if @last, the rest too. Return: the length scanned. */
static size_t scan_text(struct scan *scan, const char *text, size_t len, bool last)
{
	const char *end = text + len, *from = text, *to, *next;

	for (; from < end; from = next) {
		to = str_find(from, end, '\n');
		if (to == end && !last)
			break;
		next = to < end ? to + 1 : end;
		scan_trim(&from, &to);
		scan->line(scan, from, to);
	}
	return from - text;
}

/* Stops at a line longer than SCAN_SIZE, which parse.c rejects. */
static void scan_file(struct scan *scan, int fd)
{
	char text[SCAN_SIZE];
	size_t have = 0, done, i;
	bool last = false;
	ssize_t n;
	int chunk;

	for (chunk = 0; chunk < SCAN_CHUNKS && !last; chunk++) {
		n = sys_call(SYS_read, fd, (long)(text + have), sizeof(text) - have);
		if (n < 0)
			return;
		last = (size_t)n < sizeof(text) - have; /* the end of a regular file */
		have += n;
		done = !chunk && have >= 3 && str_is(text, text + 3, "\xef\xbb\xbf") ? 3
										     : 0;
		done += scan_text(scan, text + done, have - done, last);
		if (!done)
			break;
		have -= done;
		for (i = 0; i < have; i++)
			text[i] = text[done + i];
	}
}

unsigned int mode_signals(void)
{
	struct scan scan = { .line = scan_for_signal };
	char path[POOL_FILE_PATH_MAX];
	int fd = mode_get() == MODE_POOL ? pool_file_open_own(path) : -ENOENT;

	if (fd >= 0) {
		scan_file(&scan, fd);
		sys_close(fd);
		atomic_store(&signals, scan.signals);
	}
	return atomic_load(&signals);
}

/* Not inlined: the other socket() calls then save no registers for it. */
__attribute__((noinline)) static enum mode decide_mode(void)
{
	const char *disable = env_get(ENV_DISABLE);
	struct scan scan = { .line = scan_line };
	char path[POOL_FILE_PATH_MAX];
	int fd;

	if (env_is_secure() || (disable && *disable && (disable[0] != '0' || disable[1])))
		return MODE_OFF;
	fd = pool_file_open(env_program_name(), path);
	if (fd == -EMFILE || fd == -ENFILE)
		return MODE_UNKNOWN;
	if (fd == -ENOENT) {
		LOG_REQUEST_ONCE(LOG_LEVEL_INFO, "no pool: no pool file for ",
				 env_program_name());
		return MODE_PLAIN;
	}
	if (fd >= 0) {
		scan_file(&scan, fd);
		sys_close(fd);
	}
	atomic_store(&keepalive, scan.keepalive);
	atomic_store(&first_chosen, scan.first);
	if (scan.refused)
		LOG_REQUEST_ONCE(LOG_LEVEL_INFO, "no MPTCP: mptcp = no in ", path);
	return scan.refused ? MODE_OFF : MODE_POOL;
}

bool mode_tolerates(const struct sockopt *opt)
{
	return atomic_load(&tolerated[(opt - sockopts) / 32]) >> (opt - sockopts) % 32 &
	       1;
}

unsigned int mode_keepalive(void)
{
	return atomic_load_explicit(&keepalive, memory_order_relaxed);
}

bool mode_first(void)
{
	return atomic_load_explicit(&first_chosen, memory_order_relaxed);
}

void mode_read_first(const char *text, size_t len)
{
	struct scan scan = { .line = scan_line };

	scan_text(&scan, text, len, true);
	atomic_store(&first_chosen, scan.first);
}

enum mode mode_known(void)
{
	return atomic_load_explicit(&decided, memory_order_relaxed);
}

enum mode mode_get(void)
{
	enum mode mode = mode_known();

	if (mode != MODE_UNKNOWN)
		return mode;
	mode = decide_mode(); /* racing threads decide the same */
	atomic_store_explicit(&decided, mode, memory_order_relaxed);
	return mode;
}

void mode_turn_off(void)
{
	atomic_store(&decided, MODE_OFF);
}
