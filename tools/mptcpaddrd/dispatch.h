/* SPDX-License-Identifier: MIT */
/*
 * dispatch.h - give events to the right engine, send commands that the policy allows
 */
#pragma once

#include "broker.h"

/* dispatch_command() - struct event_pump's send_command(). */
int dispatch_command(void *ctx, const struct pm_cmd *cmd);

/* dispatch_event() - Return: false if no client has the connection. */
bool dispatch_event(struct broker *b, const struct pm_event *ev);

/* dispatch_early() - deliver the events of @token that came before its registration. */
void dispatch_early(struct broker *b, uint32_t token);

/* dispatch_timers() - run the timers of all engines. */
void dispatch_timers(struct broker *b);

/* dispatch_count_subflows() - @by more subflows of @conn and its user; may be negative.
 */
void dispatch_count_subflows(struct client_conn *conn, int by);
