/* SPDX-License-Identifier: MIT */
/*
 * capture.h - which MPTCP path-manager options are on a host's wires
 *
 * All interfaces, both directions; packets of more than CAPTURE_LEN_MAX bytes, which
 * carry data, are not looked at.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "address.h"

#define CAPTURE_LEN_MAX 200

struct host;

enum seen_kind {
	SEEN_MP_JOIN, /* the SYN, not its answers; a retransmission is one more */
	SEEN_ADD_ADDR,
	SEEN_ADD_ADDR_ECHO,
	SEEN_RM_ADDR,
	SEEN_MP_PRIO,
};

struct seen {
	enum seen_kind kind;
	struct timespec at; /* the kernel's time stamp, CLOCK_REALTIME */
	bool outgoing;
	struct address src;
	struct address dst;
	uint8_t address_id; /* of MP_JOIN, ADD_ADDR, RM_ADDR (one record each) */
	uint8_t more_ids;   /* further IDs of the RM_ADDR */
	bool backup;	    /* of MP_JOIN and MP_PRIO */
	struct address announced;
};

struct capture {
	int fd;
	uint8_t *ring;
	unsigned int next; /* next frame of the ring */
	struct seen *at;
	size_t count;
};

/* Start; 0 or -errno. */
int capture_open(struct capture *c, const struct host *h);
/* Read the new packets. Return: 0; -ENOBUFS if packets were missed. */
int capture_read(struct capture *c);
void capture_close(struct capture *c);

/* Their number, as of the last capture_read(). */
size_t capture_count(const struct capture *c, enum seen_kind kind);
/* The @nth one of a kind, from 0; NULL if there are fewer. */
const struct seen *capture_nth(const struct capture *c, enum seen_kind kind, size_t nth);

/* Everything seen, one line each, to be printed when a test fails. The caller frees it.
 */
char *capture_text(const struct capture *c);
