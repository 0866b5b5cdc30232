// SPDX-License-Identifier: MIT
/*
 * report.c - reports of connections and announcements, notes
 */
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

Test(report, ring_keeps_the_last_notes_in_order)
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

Test(report, report_gives_state_and_reason_of_announcements)
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
	play_foreign_down(&p, TOKEN, "10.0.2.2:10012", "10.0.2.1:80", 0, 0);
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

Test(report, used_endpoints_are_counted)
{
	uint32_t used[POOL_ENDPOINTS_MAX];
	struct pm_conn_report view;
	struct play p;

	connected(&p, POOL A "\n" B "\nendpoint=2001:db8::2\n");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	engine_count_shown(p.engine, used);
	cr_assert(used[0] == 1 && used[1] == 0);
	view = play_view(&p, TOKEN);
	cr_assert_eq(view.endpoints_used, 1);
	cr_assert_eq(view.endpoints_pending, 2);
	cr_assert_eq(view.endpoints_mine, 3);
	cr_assert_eq(engine_count_shown(p.engine, NULL), 1);
	play_close(&p);
}

Test(report, paged_report_continues_after_a_closed_connection)
{
	struct pm_conn_report views[2];
	struct pm_announced_report ann[ENGINE_ANNOUNCED_MAX];
	uint64_t next = 0, more;
	struct play p;
	unsigned int n;

	play_open(&p, POOL);
	for (uint32_t t = 1; t <= 6; t++) {
		play_connect(&p, t, "10.0.1.2", "10.0.1.1:80");
		play_announce(&p, t, 1, "10.0.2.1:80");
	}
	n = engine_report(p.engine, 0, 2, views, NULL, &next);
	cr_assert(n == 2 && next);
	play_closed(&p, views[1].token); /* the cursor */
	n += engine_report(p.engine, next, 2, views, NULL, &more);
	while (more) {
		next = more;
		n += engine_report(p.engine, next, 2, views, NULL, &more);
	}
	cr_assert(n == 5 || n == 6, "%u connections", n);
	n = engine_report(p.engine, 0, 2, NULL, ann, &next);
	cr_assert(n == 2 && next);
	n += engine_report(p.engine, next, ENGINE_ANNOUNCED_MAX, NULL, ann, &next);
	cr_assert_eq(n, 5);
	cr_assert_eq(next, 0);
	play_close(&p);
}

static void count_note(void *ctx, const struct pm_note *note)
{
	unsigned int *counts = ctx;

	cr_assert_lt(note->what, 32);
	counts[note->what]++;
}

Test(report, notes_go_to_the_log_in_order_and_with_their_reason)
{
	unsigned int counts[32] = { 0 };
	struct pm_note notes[8];
	struct play p;
	unsigned int n;

	play_open(&p, POOL A "|");
	engine_set_callbacks(p.engine, NULL, count_note, counts);
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_announce(&p, TOKEN, 2, "10.0.3.1:80");
	n = engine_notes(p.engine, 0, 8, notes);
	cr_assert_eq(n, 5);
	cr_assert_eq(notes[1].what, PM_NOTE_ANNOUNCED);
	cr_assert_eq(notes[1].reason, PM_REASON_NONE);
	cr_assert_eq(notes[2].what, PM_NOTE_JOINING);
	cr_assert_eq(notes[3].what, PM_NOTE_JOINED);
	cr_assert_eq(notes[4].what, PM_NOTE_ANNOUNCED);
	cr_assert_eq(notes[4].reason, PM_REASON_EXHAUSTED);
	cr_assert_eq(counts[PM_NOTE_ANNOUNCED], 2);
	cr_assert_eq(counts[PM_NOTE_JOINED], 1);
	play_close(&p);
	cr_assert_eq(counts[PM_NOTE_CLOSED], 1);
}

Test(report, prohibited_address_is_noted_again_and_not_joined)
{
	struct pm_note notes[16];
	struct pm_cmd c;
	struct play p;
	unsigned int n;

	play_open(&p, POOL A "|");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	c = play_join(&p, 1, "10.0.2.2", "10.0.2.1:80");
	play_reset(&p, &c, PM_RESET_PROHIBITED);
	play_announce(&p, TOKEN, 1, "10.0.2.1:80");
	wanted_none(&p);
	n = engine_notes(p.engine, 0, 16, notes);
	cr_assert_eq(notes[n - 1].what, PM_NOTE_REPEATED);
	cr_assert_eq(notes[n - 1].reason, PM_REASON_PROHIBITED);
	cr_assert_eq(engine_counters(p.engine)->add_addr_rx, 2);
	play_close(&p);
}

Test(report, tokens_are_given_if_they_all_fit)
{
	uint32_t tokens[4] = { 0 };
	struct play p;

	play_open(&p, POOL);
	play_connect(&p, 1, "10.0.1.2", "10.0.1.1:80");
	play_connect(&p, 2, "10.0.1.2", "10.0.1.1:80");
	cr_assert_eq(engine_tokens(p.engine, tokens, 1), 2);
	cr_assert_eq(tokens[0], 0);
	cr_assert_eq(engine_tokens(p.engine, tokens, 4), 2);
	cr_assert(tokens[0] == 1 && tokens[1] == 2);
	play_close(&p);
}
