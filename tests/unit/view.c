// SPDX-License-Identifier: MIT
/*
 * view.c - what the engine tells of its connections, and its notes
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>

#define A    "endpoint=10.0.2.2 id 12"
#define B    "endpoint=10.0.3.2 id 13"
#define POOL "[pool]\n"

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

Test(view, notes_tell_what_happened_and_old_ones_go)
{
	static struct pm_note notes[PM_NOTES_MAX + 10];
	struct play p;
	unsigned int n;

	connected(&p, POOL A "\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	n = engine_notes(p.engine, 0, PM_NOTES_MAX + 10, notes);
	cr_assert_eq(n, engine_notes_last(p.engine));
	cr_assert_eq(notes[0].what, PM_NOTE_ESTABLISHED);
	cr_assert_eq(notes[n - 1].what, PM_NOTE_JOINED);
	cr_assert_eq(engine_notes(p.engine, n, 10, notes), 0);
	for (int i = 0; i < PM_NOTES_MAX; i++)
		engine_note(p.engine, PM_NOTE_OVERRUN, 0);
	engine_note(p.engine, PM_NOTE_POOL, EINVAL);
	n = engine_notes(p.engine, 0, PM_NOTES_MAX + 10, notes);
	cr_assert_eq(n, PM_NOTES_MAX);
	cr_assert_eq(notes[0].what, PM_NOTE_OVERRUN);
	cr_assert_eq(notes[n - 1].what, PM_NOTE_POOL);
	cr_assert_eq(notes[n - 1].error, EINVAL);
	cr_assert_eq(notes[n - 1].seq, engine_notes_last(p.engine));
	play_close(&p);
}

Test(view, what_waits_and_why_is_shown)
{
	struct pm_announced_report ann[8];
	struct play p;
	uint64_t next;
	struct pm_cmd c;

	connected(&p, POOL A "\n[accept]\ndeny=10.0.9.0/24\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	play_announce(&p, TOKEN, 3, "10.0.9.1:80");
	play_announce(&p, TOKEN, 4, "[2001:db8::1]:80");
	cr_assert_eq(engine_report(p.engine, 0, 8, NULL, ann, &next), 4);
	cr_assert_eq(ann[0].state, PM_ANNOUNCED_JOINED);
	cr_assert_eq(ann[1].state, PM_ANNOUNCED_WAITING);
	cr_assert_eq(ann[1].reason, PM_REASON_EXHAUSTED);
	cr_assert_eq(ann[2].state, PM_ANNOUNCED_REFUSED);
	cr_assert_eq(ann[2].reason, PM_REASON_FILTER);
	cr_assert_eq(ann[3].reason, PM_REASON_FAMILY);
	play_remove(&p, TOKEN, 1);
	play_foreign_down(&p, TOKEN, "10.0.2.2:10012", "10.0.2.1:80");
	c = wanted(&p, "10.0.2.2", "10.0.3.1:80");
	cr_assert_eq(engine_report(p.engine, 0, 8, NULL, ann, &next), 3);
	cr_assert_eq(ann[0].state, PM_ANNOUNCED_PENDING);
	play_down(&p, &c, ECONNREFUSED);
	cr_assert_eq(engine_report(p.engine, 0, 8, NULL, ann, &next), 3);
	cr_assert_eq(ann[0].reason, PM_REASON_ERROR);
	cr_assert_eq(ann[0].error, ECONNREFUSED);
	cr_assert_geq(ann[0].retry_ms, 1000);
	cr_assert_eq(next, 0);
	play_close(&p);
}

Test(view, used_endpoints_are_counted)
{
	uint32_t used[POOL_ENDPOINTS_MAX];
	struct pm_conn_report view;
	struct play p;

	connected(&p, POOL A "\n" B "\nendpoint=2001:db8::2\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	engine_count_used(p.engine, used);
	cr_assert(used[0] == 1 && used[1] == 0);
	view = play_view(&p, TOKEN);
	cr_assert_eq(view.endpoints_used, 1);
	cr_assert_eq(view.endpoints_pending, 2);
	cr_assert_eq(view.endpoints_mine, 3);
	cr_assert_eq(engine_count_shown(p.engine), 1);
	play_close(&p);
}
