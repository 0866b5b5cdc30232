// SPDX-License-Identifier: MIT
/*
 * metered.c - what the `metered` endpoints of a user have carried: [policy] quota
 *
 * The file is a line, "DATE BYTES-OF-THE-DAY BYTES-OF-THE-MONTH". Each manager adds what
 * it has counted, with the file locked. Without it, each has a sum of its own.
 */
#include "metered.h"
#include "mptcpaddr/log.h"
#include "shim/common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SYNC_MS	 250
#define AGAIN_MS 10000 /* once the quota is used up: is there a new day? */

/*
 * Not by gmtime_r(): that, too, reads TZ, and the program's later setenv("TZ") would have
 * no effect on its localtime_r(). Years begin in March here, and end with the leap day.
 */
unsigned int metered_date(int64_t seconds)
{
	const unsigned int days = seconds / 86400 + 719468; /* since 1 March of year 0 */
	const unsigned int era = days / 146097, day = days % 146097; /* of 400 years */
	const unsigned int year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	const unsigned int in_year = day - (365 * year + year / 4 - year / 100);
	const unsigned int month = (5 * in_year + 2) / 153;
	const unsigned int in_month = in_year - (153 * month + 2) / 5 + 1;

	return (era * 400 + year + (month > 9)) * 10000 +
	       (month > 9 ? month - 9 : month + 3) * 100 + in_month;
}

/* A clock that is set back, as at the start of a machine without one, changes nothing. */
static void metered_turn(struct metered *m)
{
	const unsigned int date = metered_date(time(NULL));

	if (date <= m->date)
		return;
	m->today = 0;
	if (date / 100 > m->date / 100)
		m->this_month = 0;
	m->date = date;
}

/* Return: 0; -errno. An empty file is new, unless it cannot be written. */
static int metered_read(struct metered *m, int fd)
{
	char text[80];
	const ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	unsigned int date;
	uint64_t today, this_month;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (n == 0) {
		if (!m->warned)
			m->date = 0;
		return 0;
	}
	if (sscanf(text, "%8u %" SCNu64 " %" SCNu64, &date, &today, &this_month) != 3)
		return -EBADMSG;
	m->date = date;
	m->today = today;
	m->this_month = this_month;
	return 0;
}

static void metered_add(struct metered *m)
{
	metered_turn(m);
	m->today += m->more;
	m->this_month += m->more;
	m->more = 0;
}

static int metered_open(const char *path)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags, 0600);
	char part[1024];
	const char *at = path;

	if (fd >= 0 || errno != ENOENT)
		return fd;
	while (*at && (at = strchr(at + 1, '/')) && (size_t)(at - path) < sizeof(part)) {
		memcpy(part, path, at - path);
		part[at - path] = '\0';
		mkdirat(AT_FDCWD, part, 0755);
	}
	return open(path, flags, 0600);
}

/* Return: 0; -EWOULDBLOCK: another manager has it; other -errno: not shared. */
static int metered_share(struct metered *m, const char *path)
{
	int fd = metered_open(path), r = 0, n;
	char text[80];

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = -errno;
	r = r ?: metered_read(m, fd);
	if (r == 0) {
		metered_add(m);
		/* Always as long */
		n = snprintf(text, sizeof(text), "%08u %020" PRIu64 " %020" PRIu64 "\n",
			     m->date, m->today, m->this_month);
		if (pwrite(fd, text, n, 0) != n)
			r = errno ? -errno : -EIO;
	}
	close(fd);
	return r;
}

static void metered_sync(struct metered *m, const char *path)
{
	const int r = *path ? metered_share(m, path) : -ENOENT;

	if (r == 0 || r == -EWOULDBLOCK)
		return;
	metered_add(m);
	if (!m->warned)
		log_warning("%s: %s; quota: other programs do not see what this one "
			    "uses: make the file writable, or remove it",
			    *path ? path : "no file for the quota",
			    r == -EBADMSG ? "not \"DATE BYTES BYTES\"" : strerror(-r));
	m->warned = true;
}

static bool is_spent(const struct metered *m, const struct pool *pool)
{
	return (pool->daily ? m->today : m->this_month) + m->more >= pool->quota;
}

bool metered_serve(struct metered *m, const struct pool *pool, uint64_t bytes,
		   const char *path)
{
	const int64_t now = clock_ms();

	m->more += bytes;
	if (!pool->quota)
		return false;
	if (now >= m->next_ms && (m->more || !m->next_ms || is_spent(m, pool))) {
		metered_sync(m, path);
		m->next_ms = now + (is_spent(m, pool) ? AGAIN_MS : SYNC_MS);
	}
	return is_spent(m, pool);
}

int metered_wait(const struct metered *m, const struct pool *pool)
{
	return pool->quota && (m->more || is_spent(m, pool)) ? clock_left_ms(m->next_ms)
							     : -1;
}
