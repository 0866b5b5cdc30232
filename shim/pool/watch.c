// SPDX-License-Identifier: MIT
/*
 * watch.c - the pool in force: follow its file and the machine's addresses
 *
 * A changed file is read as a whole; if it is wrong, the previous pool stays. Links and
 * addresses are read once, then their notifications change the table.
 */
#include "watch.h"
#include "endpoint.h"
#include "mptcpaddr/log.h"
#include "shim/common/str.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Editors write in place or rename; the link to a file may change, too. */
#define DIR_EVENTS  (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF)
/* At least between two reads of notifications: they come in bursts. */
#define RTNL_PAUSE_MS 100

static int watch_file(const char *path)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char *copy = strdup(path);

	if (fd >= 0 && copy)
		inotify_add_watch(fd, dirname(copy), DIR_EVENTS);
	if (fd >= 0)
		inotify_add_watch(fd, path, FILE_EVENTS);
	free(copy);
	return fd;
}

/*
 * Whether @ev may mean another content. A regular file that was just created is written
 * and closed later. Events of other files in the directory matter only if @watch->path is
 * a link, and not while its target is being written in place.
 */
static bool event_matters(const struct pool_watch *watch, const struct inotify_event *ev)
{
	const char *base = str_base(watch->path);
	struct stat link, now;

	if (!ev->len || (!strcmp(ev->name, base) && !(ev->mask & IN_CREATE)))
		return true;
	if (lstat(watch->path, &link) < 0 || stat(watch->path, &now) < 0)
		return true;
	if (S_ISLNK(link.st_mode))
		return now.st_ino != watch->seen.st_ino ||
		       now.st_dev != watch->seen.st_dev;
	return ev->mask & IN_CREATE && link.st_nlink > 1 && !strcmp(ev->name, base);
}

/* Return: whether any event matters. */
static bool read_file_events(const struct pool_watch *watch)
{
	_Alignas(struct inotify_event) char data[4096];
	const struct inotify_event *ev;
	bool any = false;
	ssize_t n, at;

	while ((n = read(watch->file_fd, data, sizeof(data))) > 0) {
		for (at = 0; at < n; at += sizeof(*ev) + ev->len) {
			ev = (const void *)(data + at);
			any |= event_matters(watch, ev);
		}
	}
	return any;
}

/* Whether the file differs from the one read last, by stat(). */
static bool file_changed(struct pool_watch *watch)
{
	struct stat now, seen = watch->seen;

	if (stat(watch->path, &now) < 0)
		memset(&now, 0, sizeof(now));
	watch->seen = now;
	return now.st_ino != seen.st_ino || now.st_dev != seen.st_dev ||
	       now.st_size != seen.st_size || now.st_mtim.tv_sec != seen.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != seen.st_mtim.tv_nsec;
}

/* @spec with the addresses of now. Return: NULL: no memory. */
static struct pool *resolve_spec(const struct pool_watch *watch, const struct pool *spec)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool_resolve(spec, &watch->table, watch->pool, pool);
	if (pool && watch->spent)
		pool_spend(pool);
	return pool;
}

int watch_open(struct pool_watch *watch, const char *path, const char *text, size_t len)
{
	int r;

	/* Before reading, so that no change is missed. */
	*watch = (struct pool_watch){ .path = path,
				      .is_fixed = text,
				      .rtnl_fd = rtnl_watch(),
				      .file_fd = text ? -1 : watch_file(path) };
	file_changed(watch);
	r = pool_load_text(text, len, path, &watch->spec, &watch->error);
	if (r == 0) {
		watch->loads = 1;
		watch->stale = rtnl_read_table(&watch->table) < 0;
		watch->pool = resolve_spec(watch, watch->spec);
		r = watch->pool ? 0 : -ENOMEM;
	}
	if (r < 0)
		watch_close(watch);
	return r;
}

void watch_reopen(struct pool_watch *watch)
{
	watch->rtnl_fd = rtnl_watch();
	watch->file_fd = watch->is_fixed ? -1 : watch_file(watch->path);
	watch->stale = watch->table.lost = true; /* since the fork */
}

void watch_close(struct pool_watch *watch)
{
	if (watch->rtnl_fd >= 0)
		close(watch->rtnl_fd);
	if (watch->file_fd >= 0)
		close(watch->file_fd);
	rtnl_free_table(&watch->table);
	pool_free(watch->spec);
	pool_free(watch->pool);
	watch->spec = watch->pool = NULL;
	watch->rtnl_fd = watch->file_fd = -1;
}

void watch_fill_fds(const struct pool_watch *watch, struct pollfd fds[WATCH_FDS])
{
	/* What comes before the next read must not wake us. */
	fds[0] = (struct pollfd){ watch->stale ? -1 : watch->rtnl_fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ watch->file_fd, POLLIN, 0 };
}

/* Return: true if watch->spec is another pool now. */
static bool reload_file(struct pool_watch *watch)
{
	struct pool_error why;
	struct pool *spec;

	/* The target of a link is in another directory, and may be another file now. */
	inotify_add_watch(watch->file_fd, watch->path, FILE_EVENTS);
	if (!file_changed(watch))
		return false;
	if (pool_load(watch->path, &spec, &why) < 0) {
		log_error("keeping the previous pool: %s", why.text);
		watch->error = why;
		return false;
	}
	log_info("%u endpoint%s from %s, which has changed", spec->n_endpoints,
		 PLURAL(spec->n_endpoints), watch->path);
	watch->error.text[0] = '\0';
	watch->loads++;
	pool_free(watch->spec);
	watch->spec = spec;
	return true;
}

int watch_wait_ms(const struct pool_watch *watch, int64_t now_ms)
{
	if (!watch->stale)
		return -1;
	return now_ms < watch->next_read_ms ? watch->next_read_ms - now_ms : 0;
}

/* Two pools of one file: most changes concern neither. */
static bool same_addresses(const struct pool *a, const struct pool *b)
{
	const struct endpoint *x, *y = b->endpoints;
	bool same = a->n_endpoints == b->n_endpoints;

	for (x = a->endpoints; same && x < a->endpoints + a->n_endpoints; x++, y++)
		same = mpaddr_equal(&x->addr, &y->addr) && x->state == y->state &&
		       x->if_idx == y->if_idx && x->link == y->link &&
		       x->downs == y->downs && x->local_id == y->local_id;
	return same;
}

struct pool *watch_update(struct pool_watch *watch, const struct pollfd fds[WATCH_FDS],
			  int64_t now_ms)
{
	bool changed = false, reloaded = false;
	struct pool *pool, *old = watch->pool;
	int r;

	watch->stale |= fds[0].revents;
	if (watch->stale && watch_wait_ms(watch, now_ms) == 0) {
		watch->next_read_ms = now_ms + RTNL_PAUSE_MS;
		r = rtnl_follow(watch->rtnl_fd, &watch->table);
		watch->stale = r < 0;
		changed = r > 0;
	}
	if (fds[1].revents && read_file_events(watch))
		reloaded = reload_file(watch);
	if (!changed && !reloaded)
		return NULL;
	pool = resolve_spec(watch, watch->spec);
	if (!pool) /* no memory: try again */
		watch->stale = watch->table.lost = true;
	if (!pool || (!reloaded && same_addresses(pool, old))) {
		pool_free(pool);
		return NULL;
	}
	watch->pool = pool;
	return old;
}

struct pool *watch_set_spent(struct pool_watch *watch, bool spent)
{
	struct pool_watch with = *watch;
	struct pool *pool;

	with.spent = spent;
	pool = spent != watch->spent ? resolve_spec(&with, watch->spec) : NULL;
	if (!pool)
		return NULL; /* no memory: the caller tries again */
	watch->spent = spent;
	watch->pool = pool;
	return with.pool;
}

int watch_edit(struct pool_watch *watch, char *words, struct pool **ret_old,
	       struct pool_error *why)
{
	struct pool *spec = malloc(sizeof(*spec)), *pool = NULL;
	int r = -ENOMEM;

	pool_error_set(why, 0, "no memory");
	if (spec) {
		*spec = *watch->spec;
		r = pool_edit(spec, watch->pool, words, why);
		pool = r == 0 ? resolve_spec(watch, spec) : NULL;
	}
	if (!pool) {
		pool_free(spec);
		return r ?: -ENOMEM;
	}
	pool_free(watch->spec);
	watch->spec = spec;
	*ret_old = watch->pool;
	watch->pool = pool;
	return 0;
}
