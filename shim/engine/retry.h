/* SPDX-License-Identifier: MIT */
/*
 * retry.h - when a failed join is tried again
 */
#pragma once

#include "state.h"

/* The delay before try number @tries + 1. */
uint32_t retry_delay(const struct conn *conn, unsigned int tries);
/* Delays the next try of an announcement that found no endpoint, if it failed before. */
void announcement_set_retry(struct conn *conn, struct announcement *ann);
/*
 * The first path is lost, and nobody announces its address: endpoints that are there to
 * be used for announcements go there as if somebody had.
 */
struct announcement *announce_first_address(struct conn *conn);
/* A join, or a live subflow, ended with @error: the record is changed or deleted. */
void subflow_failed(struct conn *conn, struct subflow *s, uint8_t error,
		    uint8_t reset_reason);
/* Whether and when @conn has something to do. */
void conn_schedule(struct conn *conn);
