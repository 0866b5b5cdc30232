// SPDX-License-Identifier: MIT
/*
 * engine.c - histories of the real engine in the world of tests/model, whose rules hold
 *
 * Input: two pools, then a step a byte: the high bits are an enum action_kind, the low
 * ones what it is about. Steps that cannot happen then are left out.
 */
#include "fuzz.h"
#include "tests/model/model.h"

#define POOL_TEXT  512
#define EVENTS_MAX 24 /* unread */

/* The first have `laminar`; the last leave announced addresses to routing. */
static const char *const kinds[] = {
	"10.0.%u.2",
	"10.0.%u.2 backup",
	"dev eth%u",
	"10.0.%u.2 subflow laminar",
	"10.0.%u.2 signal laminar",
	"10.0.%u.2 fullmesh",
	"dev eth%u fullmesh",
	"10.0.%u.2 fullmesh subflow",
	"10.0.%u.2 subflow",
	"dev eth%u subflow backup",
	"10.0.%u.2 signal",
	"dev eth%u signal",
};
#define KINDS	(sizeof(kinds) / sizeof(*kinds))
#define LAMINAR 5
#define ROUTED	8

/*
 * A line a byte: its address, and its words. The engine does not know where a join is
 * from while it waits for an answer on an address of routing's choice: no rule can hold
 * if such a pool and one with `laminar` follow each other.
 */
static void take_pool(struct input *in, bool routed, bool limited,
		      char text[static POOL_TEXT])
{
	size_t n = sprintf(text, "[pool]\n");
	unsigned int used = 0, kind;

	for (unsigned int i = 0; i < WIDTH; i++) {
		const uint8_t byte = input_u8(in);
		const unsigned int net = i ? byte % 4 : byte % 3 + 1;

		if (!net || used & 1u << net)
			continue;
		used |= 1u << net;
		kind = routed ? ROUTED + byte / 4 % (KINDS - ROUTED)
		       : i    ? byte / 4 % KINDS
			      : byte / 4 % LAMINAR;
		n += sprintf(text + n, "endpoint=");
		n += sprintf(text + n, kinds[kind], net + (*kinds[kind] == '1'));
		n += sprintf(text + n, "\n");
	}
	n += sprintf(text + n, "[retry]\nfirst=1s\nmax=2s\ntries=200\n");
	if (limited)
		sprintf(text + n, "[limits]\nsubflows=2\n");
}

static void take_step(struct input *in, struct world *w)
{
	const uint8_t byte = input_u8(in);
	struct action a = { byte / SUBS_MAX % ACTION_KINDS, byte % SUBS_MAX };

	for (unsigned int i = 0; i < SUBS_MAX && !world_allows(w, a); i++)
		a.which = (a.which + 1) % SUBS_MAX;
	if (world_allows(w, a))
		world_act(w, a);
	if (w->n_events >= EVENTS_MAX)
		world_settle(w);
}

FUZZ_TARGET(data, size)
{
	static char texts[2][POOL_TEXT];
	static struct world w;
	struct scene scene = { .name = "fuzz", .texts = { texts[0], texts[1] } };
	struct input in = { data, data + size };
	const uint8_t flags = input_u8(&in);
	const bool routed = (flags & 0x19) == 0x18;

	scene.how = flags & 1 ? LATE : 0; /* the others are for pools of explore.c */
	scene.first = flags & 2 ? "10.0.2.2" : "10.0.1.2";
	take_pool(&in, routed, flags & 4, texts[0]);
	take_pool(&in, routed, flags & 4, texts[1]);
	scene_open(&scene);
	world_open(&w, &scene);
	w.trace = getenv("TRACE");
	if (w.trace)
		fprintf(stderr, "%s%s%s, %s:\n", texts[0], texts[1], scene.first,
			scene.how & LATE ? "late" : "at once");
	while (input_left(&in) && !w.fault)
		take_step(&in, &w);
	if (!w.fault)
		world_check_all(&w);
	fuzz_check(!w.fault, "%s; repeat it with TRACE=1", w.fault);
	world_close(&w);
	scene_close(&scene);
	return 0;
}
