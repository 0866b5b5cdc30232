// SPDX-License-Identifier: MIT
/*
 * watch.c - the pool in force: a file that may change, on a machine that changes
 *
 * A changed file is read as a whole: if it is wrong, the pool before it stays in force.
 * Interfaces and addresses are asked for as a whole whenever one changes.
 */
#include "watch.h"
#include "endpoint.h"
#include "mptcpaddr/control.h"
#include "mptcpaddr/log.h"
#include "mptcpaddr/uapi.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Editors write in place or rename; the link to a file may change, too. */
#define FOLDER_EVENTS \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_MOVED_FROM)
/* All interfaces are read at once, and not more often than this in a storm. */
#define RTNL_PAUSE_MS 100

#define FILE_EVENTS (IN_CLOSE_WRITE | IN_MOVE_SELF | IN_DELETE_SELF)

static void watch_file(struct pool_watch *watch)
{
	char folder[PATH_MAX];
	char *slash;

	watch->file_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (watch->file_fd < 0)
		return;
	if ((size_t)snprintf(folder, sizeof(folder), "%s", watch->path) <
	    sizeof(folder)) {
		slash = strrchr(folder, '/');
		if (slash) {
			slash[slash == folder] = '\0';
			inotify_add_watch(watch->file_fd, folder, FOLDER_EVENTS);
		}
	}
	inotify_add_watch(watch->file_fd, watch->path, FILE_EVENTS);
}

/*
 * A regular file that was just created has still to be written, and is closed then. What
 * happens to others in the folder may mean a link, but nothing for a file in it that
 * is being written in place.
 */
static bool worth_reading(const struct pool_watch *watch, const struct inotify_event *ev)
{
	const char *base = strrchr(watch->path, '/');
	struct stat link, now;

	base = base ? base + 1 : watch->path;
	if (!ev->len || (!strcmp(ev->name, base) && !(ev->mask & IN_CREATE)))
		return true;
	if (lstat(watch->path, &link) < 0 || stat(watch->path, &now) < 0)
		return true;
	if (S_ISLNK(link.st_mode))
		return now.st_ino != watch->seen.st_ino ||
		       now.st_dev != watch->seen.st_dev;
	return ev->mask & IN_CREATE && link.st_nlink > 1 && !strcmp(ev->name, base);
}

/* Return: whether the file is to be looked at. */
static bool drain(const struct pool_watch *watch)
{
	_Alignas(struct inotify_event) char data[4096];
	const struct inotify_event *ev;
	bool any = false;
	ssize_t n, at;

	while ((n = read(watch->file_fd, data, sizeof(data))) > 0) {
		for (at = 0; at < n; at += sizeof(*ev) + ev->len) {
			ev = (const void *)(data + at);
			any |= worth_reading(watch, ev);
		}
	}
	return any;
}

/* Whether the file is not the one that was read. */
static bool file_changed(struct pool_watch *watch)
{
	struct stat now = { 0 };
	bool same;

	if (stat(watch->path, &now) < 0)
		now = (struct stat){ 0 };
	same = now.st_ino == watch->seen.st_ino && now.st_dev == watch->seen.st_dev &&
	       now.st_size == watch->seen.st_size &&
	       now.st_mtim.tv_sec == watch->seen.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == watch->seen.st_mtim.tv_nsec;
	watch->seen = now;
	return !same;
}

/* The pool that @spec means now; NULL: no memory. */
static struct pool *resolve(const struct pool_watch *watch, const struct pool *spec)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool)
		pool_resolve(spec, &watch->table, watch->pool, pool);
	return pool;
}

int watch_open(struct pool_watch *watch, const char *path)
{
	int r;

	*watch = (struct pool_watch){ .path = path, .rtnl_fd = -1, .file_fd = -1 };
	/* Watching begins before reading, so that no change is missed. */
	watch->rtnl_fd = rtnl_watch();
	watch_file(watch);
	file_changed(watch);
	r = pool_load(path, &watch->spec, &watch->error);
	if (r == 0) {
		watch->loads = 1;
		rtnl_read_table(&watch->table);
		watch->pool = resolve(watch, watch->spec);
		r = watch->pool ? 0 : -ENOMEM;
	}
	if (r < 0)
		watch_close(watch);
	return r;
}

void watch_reopen(struct pool_watch *watch)
{
	watch->rtnl_fd = rtnl_watch();
	watch_file(watch);
	watch->stale = true; /* what changed since the fork */
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
	fds[0] = (struct pollfd){ watch->rtnl_fd, POLLIN, 0 };
	fds[1] = (struct pollfd){ watch->file_fd, POLLIN, 0 };
}

/* Return: true if there is another pool in watch->spec. */
static bool reload(struct pool_watch *watch)
{
	struct pool_error why;
	struct pool *spec;

	/* Behind a link the file is in another folder, and may be another one now. */
	inotify_add_watch(watch->file_fd, watch->path, FILE_EVENTS);
	if (!file_changed(watch))
		return false;
	if (pool_load(watch->path, &spec, &why) < 0) {
		log_error("the pool before stays in force: %s", why.text);
		watch->error = why;
		return false;
	}
	log_info("%u endpoints from %s, which has changed", spec->n_endpoints,
		 watch->path);
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

/* Whether two pools of one file differ by nothing: most changes are not about them. */
static bool same_addresses(const struct pool *a, const struct pool *b)
{
	unsigned int i;

	if (a->n_endpoints != b->n_endpoints)
		return false;
	for (i = 0; i < a->n_endpoints; i++) {
		const struct endpoint *x = &a->endpoints[i], *y = &b->endpoints[i];

		if (!mpaddr_equal(&x->addr, &y->addr) || x->state != y->state ||
		    x->if_idx != y->if_idx || x->local_id != y->local_id)
			return false;
	}
	return true;
}

struct pool *watch_update(struct pool_watch *watch, const struct pollfd fds[WATCH_FDS],
			  int64_t now_ms)
{
	bool changed = false, reloaded = false;
	struct pool *pool, *old = watch->pool;

	if (fds[0].revents)
		watch->stale |= rtnl_drain(watch->rtnl_fd);
	if (watch->stale && watch_wait_ms(watch, now_ms) == 0) {
		watch->next_read_ms = now_ms + RTNL_PAUSE_MS;
		watch->stale = rtnl_read_table(&watch->table) == -EAGAIN;
		changed = true;
	}
	if (fds[1].revents && drain(watch))
		reloaded = reload(watch);
	if (!changed && !reloaded)
		return NULL;
	pool = resolve(watch, watch->spec);
	if (!pool || (!reloaded && same_addresses(pool, old))) {
		pool_free(pool);
		return NULL;
	}
	watch->pool = pool;
	return old;
}

static int fail(struct pool_error *why, int error, const char *text)
{
	snprintf(why->text, sizeof(why->text), "%s", text);
	return error;
}

/* Kinds of endpoints that are left, for sections without any. */
static void kinds_again(struct pool *spec)
{
	unsigned int i;

	for (i = 0; i < spec->n_sections; i++)
		spec->sections[i].kinds = 0;
	for (i = 0; i < spec->n_endpoints; i++)
		spec->sections[spec->endpoints[i].section].kinds |=
			spec->endpoints[i].flags & ~MPTCP_PM_ADDR_FLAG_BACKUP;
}

static void endpoint_remove(struct pool *spec, unsigned int i)
{
	memmove(&spec->endpoints[i], &spec->endpoints[i + 1],
		(--spec->n_endpoints - i) * sizeof(*spec->endpoints));
	kinds_again(spec);
}

/* "id N" alone, as `ip mptcp endpoint del` takes it, or the words of the endpoint. */
static int find(const struct pool_watch *watch, const struct pool *spec, char *words,
		struct endpoint *ret_ep, struct pool_error *why)
{
	const struct pool *pool = watch->pool;
	unsigned int id, i;
	int end = 0;

	if (sscanf(words, "id %u%n", &id, &end) == 1 && !words[end]) {
		for (i = 0; i < pool->n_endpoints; i++)
			if (pool->endpoints[i].local_id == id &&
			    !pool->endpoints[i].section)
				*ret_ep = pool->endpoints[i];
	} else if (endpoint_parse(words, ret_ep, why) < 0) {
		return -EINVAL;
	}
	i = endpoint_find(spec, ret_ep);
	return (int)i < 0 ? fail(why, -ENOENT, "no such endpoint in the pool") : (int)i;
}

/* The flags that `ip mptcp endpoint change` knows; they are taken out of @words. */
static void take_changes(char *words, uint32_t *ret_set, uint32_t *ret_clear)
{
	static const struct {
		const char *word;
		uint32_t set, clear;
	} changes[] = {
		{ "backup", MPTCP_PM_ADDR_FLAG_BACKUP, 0 },
		{ "nobackup", 0, MPTCP_PM_ADDR_FLAG_BACKUP },
		{ "fullmesh", MPTCP_PM_ADDR_FLAG_FULLMESH, 0 },
		{ "nofullmesh", 0, MPTCP_PM_ADDR_FLAG_FULLMESH },
	};
	char rest[CTL_TEXT_MAX] = "", *word, *save;
	unsigned int i;

	for (word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		for (i = 0; i < 4 && strcmp(word, changes[i].word) != 0; i++)
			;
		if (i < 4) {
			*ret_set |= changes[i].set;
			*ret_clear |= changes[i].clear;
		} else {
			snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest),
				 *rest ? " %s" : "%s", word);
		}
	}
	strcpy(words, rest); /* which is no longer than it was */
}

static int change_endpoint(const struct pool_watch *watch, struct pool *spec, char *words,
			   struct pool_error *why)
{
	struct endpoint ep = { 0 };
	uint32_t set = 0, clear = 0;
	int i;

	take_changes(words, &set, &clear);
	if (!(set | clear))
		return fail(why, -EINVAL,
			    "change to [no]backup or [no]fullmesh, and nothing else");
	i = find(watch, spec, words, &ep, why);
	if (i < 0)
		return i;
	spec->endpoints[i].flags = (spec->endpoints[i].flags | set) & ~clear;
	kinds_again(spec);
	return 0;
}

static int edit_endpoint(const struct pool_watch *watch, struct pool *spec, char *verb,
			 char *words, struct pool_error *why)
{
	struct endpoint ep = { 0 };
	int i;

	if (!strcmp(verb, "flush")) {
		if (words[strspn(words, " \t")])
			return fail(why, -EINVAL, "flush takes no address");
		spec->n_endpoints = 0;
		kinds_again(spec);
		return 0;
	}
	if (!strcmp(verb, "add")) {
		if (endpoint_parse(words, &ep, why) < 0 ||
		    endpoint_append(spec, &ep, why) < 0)
			return -EINVAL;
		endpoint_assign_ids(spec); /* to be kept when others go */
		return 0;
	}
	if (!strcmp(verb, "change"))
		return change_endpoint(watch, spec, words, why);
	if (strcmp(verb, "del") != 0)
		return fail(why, -EINVAL, "endpoint add, del, change or flush");
	i = find(watch, spec, words, &ep, why);
	if (i < 0)
		return i;
	endpoint_remove(spec, i);
	return 0;
}

static int edit_limits(struct pool *spec, char *words, struct pool_error *why)
{
	char *word, *save, *end;
	unsigned long value;

	for (word = strtok_r(words, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		const char *arg = strtok_r(NULL, " \t", &save);
		unsigned int *limit = !strcmp(word, "subflows") ? &spec->subflows
				      : !strcmp(word, "add_addr_accepted")
					      ? &spec->add_addr_accepted
					      : NULL;

		if (!limit)
			return fail(why, -EINVAL,
				    "limits subflows N add_addr_accepted N");
		value = arg ? strtoul(arg, &end, 10) : 0;
		if (!arg || *arg < '0' || *arg > '9' || *end || value > POOL_LIMIT_MAX) {
			snprintf(why->text, sizeof(why->text), "%s %.32s is not in 0-%d",
				 word, arg ?: "(nothing)", POOL_LIMIT_MAX);
			return -EINVAL;
		}
		*limit = value;
	}
	return 0;
}

int watch_edit(struct pool_watch *watch, char *words, struct pool **ret_old,
	       struct pool_error *why)
{
	struct pool *spec = malloc(sizeof(*spec)), *pool = NULL;
	char *object, *save;
	int r;

	if (!spec)
		return fail(why, -ENOMEM, "no memory");
	*spec = *watch->spec;
	object = strtok_r(words, " \t", &save);
	if (object && !strcmp(object, "endpoint")) {
		char *verb = strtok_r(NULL, " \t", &save);

		r = edit_endpoint(watch, spec, verb ?: "", save ?: "", why);
	} else if (object && !strcmp(object, "limits")) {
		r = edit_limits(spec, save ?: "", why);
	} else {
		r = fail(why, -EINVAL, "endpoint ... or limits ...");
	}
	if (r == 0) {
		pool = resolve(watch, spec);
		r = pool ? 0 : fail(why, -ENOMEM, "no memory");
	}
	if (r < 0) {
		pool_free(spec);
		return r;
	}
	pool_free(watch->spec);
	watch->spec = spec;
	*ret_old = watch->pool;
	watch->pool = pool;
	return 0;
}
