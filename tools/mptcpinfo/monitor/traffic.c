// SPDX-License-Identifier: MIT
/*
 * traffic.c - the bytes of a run, by path and time
 *
 * A path has a fixed number of slots of equal duration. A run that outlasts them doubles
 * that duration, so an hour takes no more memory than a second. The slots of a path add
 * up to its bytes.
 */
#include "traffic.h"
#include "shim/common/clock.h"
#include "tools/mptcpinfo/print/print.h"

#include <string.h>

#define SLOT_US 10000

void traffic_begin(struct traffic *t)
{
	t->began_us = t->seen_us = clock_us();
	t->slot_us = SLOT_US;
}

static void path_halve(struct traffic_path *path)
{
	for (int way = 0; way < 2; way++) {
		double *slots = path->slots[way];

		for (size_t i = 0; i < TRAFFIC_SLOTS / 2; i++)
			slots[i] = slots[2 * i] + slots[2 * i + 1];
		memset(slots + TRAFFIC_SLOTS / 2, 0, TRAFFIC_SLOTS / 2 * sizeof(*slots));
	}
}

static void path_merge(struct traffic_path *to, const struct traffic_path *from)
{
	for (int way = 0; way < 2; way++) {
		to->bytes[way] += from->bytes[way];
		for (size_t i = 0; i < TRAFFIC_SLOTS; i++)
			to->slots[way][i] += from->slots[way][i];
	}
}

/* Return: n_paths if there is none. */
static size_t path_find(const struct traffic *t, size_t n, const struct path *path)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (mpaddr_same_ip(&t->paths[i].local, &path->local) &&
		    (!t->paths[i].remote.family ||
		     mpaddr_same_ip(&t->paths[i].remote, &path->remote)))
			break;
	}
	return i;
}

/* From now on, those of one local address are one path. */
static void forget_remotes(struct traffic *t)
{
	size_t kept = 0, same;

	for (size_t i = 0; i < t->n_paths; i++) {
		const struct path ends = { .local = t->paths[i].local };

		same = path_find(t, kept, &ends);
		if (same < kept) {
			path_merge(&t->paths[same], &t->paths[i]);
		} else {
			t->paths[kept] = t->paths[i];
			memset(&t->paths[kept++].remote, 0, sizeof(struct mpaddr));
		}
	}
	t->n_paths = kept;
}

static struct traffic_path *path_of(struct traffic *t, const struct path *ends)
{
	size_t i = path_find(t, t->n_paths, ends);
	struct traffic_path *path;

	if (i == t->n_paths && i == TRAFFIC_PAIRS && t->paths[0].remote.family) {
		forget_remotes(t);
		i = path_find(t, t->n_paths, ends);
	}
	if (i < t->n_paths)
		return &t->paths[i];
	path = array_add(t, paths);
	path->local = ends->local;
	path->local.port = 0;
	if (i < TRAFFIC_PAIRS && (!i || t->paths[0].remote.family)) {
		path->remote = ends->remote;
		path->remote.port = 0;
	}
	device_of(&path->local, path->device);
	return path;
}

static void slots_add(double *slots, const struct traffic *t, int64_t to_us,
		      uint64_t bytes)
{
	int64_t to = to_us - t->began_us, from = t->seen_us - t->began_us, begin, end;

	if (to <= from)
		to = from + 1;
	for (int64_t i = from / t->slot_us; i <= (to - 1) / t->slot_us; i++) {
		begin = i * t->slot_us > from ? i * t->slot_us : from;
		end = (i + 1) * t->slot_us < to ? (i + 1) * t->slot_us : to;
		slots[i] += (double)bytes * (double)(end - begin) / (double)(to - from);
	}
}

/* Slots for the time until @now_us */
static void make_room(struct traffic *t, int64_t now_us)
{
	while (now_us - t->began_us >= t->slot_us * TRAFFIC_SLOTS) {
		for (size_t i = 0; i < t->n_paths; i++)
			path_halve(&t->paths[i]);
		t->slot_us *= 2;
	}
}

void traffic_add(struct traffic *t, const struct subflow *before,
		 const struct subflow *after, int64_t now_us)
{
	const uint64_t old[2] = { before->bytes_received, before->bytes_sent };
	const uint64_t new[2] = { after->bytes_received, after->bytes_sent };
	struct traffic_path *path = path_of(t, &after->path);

	make_room(t, now_us);
	for (int way = 0; way < 2; way++) {
		if (new[way] <= old[way])
			continue;
		path->bytes[way] += new[way] - old[way];
		slots_add(path->slots[way], t, now_us, new[way] - old[way]);
	}
}

void traffic_seen(struct traffic *t, int64_t now_us)
{
	make_room(t, now_us);
	t->seen_us = now_us;
}

uint64_t traffic_sum(const struct traffic *t, enum traffic_way way)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->n_paths; i++)
		sum += t->paths[i].bytes[way];
	return sum;
}

const char *traffic_text(const struct traffic_path *path,
			 char out[static TRAFFIC_TEXT_MAX])
{
	char local[MPADDR_TEXT_MAX], remote[MPADDR_TEXT_MAX];
	bool any = !path->remote.family, named = path->device[0];

	snprintf(out, TRAFFIC_TEXT_MAX, "%s%s%s%s%s%s", ip_text(&path->local, local),
		 any ? "" : " > ", any ? "" : ip_text(&path->remote, remote),
		 named ? " (" : "", path->device, named ? ")" : "");
	return out;
}
