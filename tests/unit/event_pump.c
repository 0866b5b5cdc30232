// SPDX-License-Identifier: MIT
/*
 * event_pump.c - the queue of events, and early events
 */
#include "shim/manager/event_pump.h"

#include "mptcpaddr/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "play.h"

static struct pm_event numbered(uint32_t n)
{
	return (struct pm_event){ .type = PM_EVENT_ANNOUNCED, .token = n };
}

Test(event_pump, events_leave_in_the_order_of_arrival_while_the_ring_grows)
{
	struct event_queue queue = { 0 };
	uint32_t in = 0, out = 0;
	struct pm_event ev;
	int round, i;

	cr_assert_not(event_queue_pop(&queue, &ev));
	for (round = 0; round < 300; round++) { /* 7 in, 5 out: wraps and grows */
		cr_assert_eq(event_queue_reserve(&queue, 7), 0);
		for (i = 0; i < 7; i++) {
			ev = numbered(in++);
			event_queue_push(&queue, &ev);
		}
		for (i = 0; i < 5; i++) {
			cr_assert(event_queue_pop(&queue, &ev));
			cr_assert_eq(ev.token, out++);
		}
	}
	while (event_queue_pop(&queue, &ev))
		cr_assert_eq(ev.token, out++);
	cr_assert_eq(out, in);
	free(queue.v);
}

Test(event_pump, queue_is_bounded_and_stays_usable_when_full)
{
	struct event_queue queue = { 0 };
	struct pm_event ev;
	uint32_t n = 0;

	while (!event_queue_reserve(&queue, 32)) {
		cr_assert_lt(n, EVENT_QUEUE_MAX);
		for (int i = 0; i < 32; i++) {
			ev = numbered(n++);
			event_queue_push(&queue, &ev);
		}
	}
	cr_assert_eq(n, EVENT_QUEUE_MAX);
	cr_assert_eq(event_queue_reserve(&queue, 1), -ENOSPC);
	cr_assert_eq(event_queue_reserve(&queue, 0), 0);
	cr_assert(event_queue_pop(&queue, &ev));
	cr_assert_eq(ev.token, 0);
	cr_assert_eq(event_queue_reserve(&queue, 1), 0);
	event_queue_push(&queue, &ev);
	for (n = 1; n < EVENT_QUEUE_MAX; n++) {
		cr_assert(event_queue_pop(&queue, &ev));
		cr_assert_eq(ev.token, n);
	}
	cr_assert(event_queue_pop(&queue, &ev));
	cr_assert_eq(ev.token, 0);
	cr_assert_not(event_queue_pop(&queue, &ev));
	free(queue.v);
}

Test(event_pump, more_than_the_bound_at_once_is_refused)
{
	struct event_queue queue = { 0 };

	cr_assert_eq(event_queue_reserve(&queue, EVENT_QUEUE_MAX + 1), -ENOSPC);
	cr_assert_eq(event_queue_reserve(&queue, EVENT_QUEUE_MAX), 0);
	free(queue.v);
}

Test(event_pump, early_events_of_one_token_come_back_in_order)
{
	struct early_events early = { 0 };
	struct pm_event ev;
	uint8_t i;

	for (i = 0; i < 200; i++) {
		ev = numbered(i % 3);
		ev.remote_id = i;
		cr_assert_eq(early_hold(&early, &ev, i), 0);
	}
	for (i = 1; i < 200; i += 3) {
		cr_assert(early_take(&early, 1, &ev));
		cr_assert_eq(ev.token, 1);
		cr_assert_eq(ev.remote_id, i);
	}
	cr_assert_not(early_take(&early, 1, &ev));
	cr_assert_not(early_take(&early, 7, &ev));
	cr_assert_eq(early.n, 200 - 67);
	free(early.v);
}

Test(event_pump, early_events_expire_by_their_age)
{
	struct early_events early = { 0 };
	struct pm_event ev;
	uint32_t i;

	cr_assert_eq(early_expire(&early, INT64_MAX), 0);
	for (i = 0; i < 100; i++) {
		ev = numbered(i);
		early_hold(&early, &ev, 1000 + i);
	}
	cr_assert_eq(early_expire(&early, 1000), 0);
	cr_assert_eq(early_expire(&early, 1010), 10);
	cr_assert_not(early_take(&early, 9, &ev));
	cr_assert(early_take(&early, 10, &ev));
	cr_assert_eq(early_expire(&early, INT64_MAX), 89);
	cr_assert_eq(early.n, 0);
	free(early.v);
}

Test(event_pump, oldest_early_event_goes_first_when_there_are_too_many)
{
	struct early_events early = { 0 };
	struct pm_event ev;
	uint32_t i, dropped = 0;

	for (i = 0; i < EARLY_MAX; i++) {
		ev = numbered(i);
		cr_assert_eq(early_hold(&early, &ev, i), 0);
	}
	for (; i < EARLY_MAX + 10; i++) {
		ev = numbered(i);
		dropped += early_hold(&early, &ev, i);
	}
	cr_assert_gt(dropped, 0);
	cr_assert_eq(early.n + dropped, EARLY_MAX + 10);
	cr_assert_not(early_take(&early, dropped - 1, &ev));
	cr_assert(early_take(&early, dropped, &ev));
	cr_assert(early_take(&early, EARLY_MAX + 9, &ev));
	free(early.v);
}

/* The kernel reports the end of a subflow while the command that ends it is executed. */
Test(event_pump, queued_events_are_not_waited_for)
{
	const struct pm_event ev = numbered(1);
	struct event_pump pump = { .diag_fd = -1 };

	cr_assert_eq(pump_wait_ms(&pump), -1);
	early_hold(&pump.early, &ev, 0);
	cr_assert_gt(pump_wait_ms(&pump), 0);
	event_queue_reserve(&pump.queue, 1);
	event_queue_push(&pump.queue, &ev);
	cr_assert_eq(pump_wait_ms(&pump), 0);
	pump_free(&pump);
}

/* A server that announces and withdraws an address again and again. */
Test(event_pump, failed_joins_do_not_flood_the_log)
{
	const struct pm_note note = { .what = PM_NOTE_JOIN_FAILED,
				      .token = 1,
				      .error = EADDRNOTAVAIL };
	char text[65536];
	int fds[2], i, lines = 0;
	ssize_t n;

	cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	log_open(fds[1], LOG_LEVEL_WARNING, "x", 1);
	for (i = 0; i < 200; i++)
		pump_log_note(NULL, &note);
	n = read(fds[0], text, sizeof(text));
	for (i = 0; i < n; i++)
		lines += text[i] == '\n';
	cr_expect(lines > 0 && lines <= 20, "%d lines", lines);
}

/* What happened in order: a digit for a command, a letter for a note in the log. */
static char order[16];

static int refuse_the_first(void *ctx, const struct pm_cmd *cmd)
{
	const size_t n = strlen(order);

	order[n] = '1' + n;
	return n ? 0 : -EADDRNOTAVAIL;
}

static void write_down(void *ctx, const struct pm_note *note)
{
	order[strlen(order)] = note->what == PM_NOTE_ANNOUNCED	   ? 'A'
			       : note->what == PM_NOTE_JOINING	   ? 'J'
			       : note->what == PM_NOTE_JOIN_FAILED ? 'F'
								   : '?';
}

Test(event_pump, log_comes_after_the_commands_and_in_its_order)
{
	struct event_pump pump = { .diag_fd = -1, .send_command = refuse_the_first };
	struct pm_event ev = { .type = PM_EVENT_ANNOUNCED,
			       .token = TOKEN,
			       .remote = at("10.0.2.1:80"),
			       .remote_id = 1 };
	struct play p;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	pump.event_fd = fds[0];
	play_open(&p, POOL A "|endpoint = 10.0.3.2 laminar|");
	play_connect(&p, TOKEN, "10.0.1.2", "10.0.1.1:80");
	engine_set_callbacks(p.engine, NULL, write_down, NULL);
	cr_assert_eq(pump_deliver(&pump, p.engine, &ev), 0);
	cr_expect_str_eq(order, "12AJFJ", "%s", order);
	ev.token++;
	cr_assert_eq(pump_deliver(&pump, p.engine, &ev), -ENOENT);
	engine_note(p.engine, PM_NOTE_OVERRUN, 0);
	cr_expect_str_eq(order, "12AJFJ?", "the log is held: %s", order);
	play_closed(&p, TOKEN);
	play_close(&p);
	pump_free(&pump);
	close(fds[0]);
	close(fds[1]);
}
