/* SPDX-License-Identifier: MIT */
/*
 * broker.h - what a program tells the broker about a connection that it made
 *
 * The broker (mptcpaddrd) listens on a SOCK_SEQPACKET socket in the abstract namespace,
 * which is scoped to the network namespace. A program connects, looks whether the
 * listener is root's (SO_PEERCRED), sends one record and closes: nothing comes back.
 *
 * The pool file comes along as text, read by the program with its own rights: the broker
 * opens no path and takes no descriptor that a user chose, so no file system of a user's
 * (FUSE, NFS) can keep it waiting.
 */
#pragma once

#include <stdint.h>

#define BROKER_NAME	"mptcpaddr/broker" /* behind the leading NUL; no trailing one */
#define BROKER_MAGIC	0x4d504252u	   /* "MPBR" */
#define BROKER_VERSION	1
#define BROKER_POOL_MAX 32768 /* bytes of a pool file */

#define BROKER_FLAG_V6ONLY 1

/* What differs from connection to connection. */
struct broker_head {
	uint32_t magic;
	uint16_t version;
	uint16_t flags;
	uint32_t token;
	uint32_t pool_len; /* the datagram is this much longer than both structures */
};

/* What does not; both texts end with a NUL. */
struct broker_program {
	char program[64]; /* program_invocation_short_name, cut */
	char path[1024];  /* of the pool file; for messages, and to tell pools apart */
			  /* then: the pool file */
};

#define BROKER_RECORD_MAX \
	(sizeof(struct broker_head) + sizeof(struct broker_program) + BROKER_POOL_MAX)
