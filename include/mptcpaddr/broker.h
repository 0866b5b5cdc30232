/* SPDX-License-Identifier: MIT */
/*
 * broker.h - the record by which a program registers a connection with the broker
 *
 * mptcpaddrd listens on two SOCK_SEQPACKET sockets in each network namespace: one with an
 * abstract name, also for programs that do not see /run, and one in BROKER_DIR, whose
 * name nobody else can hold (unix_name_broker()). A program checks that the listener is
 * root's (SO_PEERCRED), sends one record and closes. The record contains the text of the
 * pool file: the broker opens no path of a user's choice, so no file system of a user's
 * (FUSE, NFS) can block it. If it refuses, it sends the reason as text before it
 * disconnects.
 *
 * A third socket wakes nobody: the broker serves it with its next event. A program uses
 * it for a connection that was answered, whose first event follows, and falls back to the
 * others.
 */
#pragma once

#include <stdint.h>

#define BROKER_NAME	"mptcpaddr/broker" /* after a leading NUL; no trailing one */
#define BROKER_LAZY	"mptcpaddr-lazy"   /* of the third socket, likewise */
#define BROKER_DIR	"/run/mptcpaddr" /* of the other socket; only root can write there */
#define BROKER_MAGIC	0x4d504252u	 /* "MPBR" */
#define BROKER_VERSION	1
#define BROKER_POOL_MAX 32768 /* bytes of a pool file */

/* Why a program has no pool; the same words in the log and the tools */
#define BROKER_LACKING "no CAP_NET_ADMIN in this network namespace, and no broker"

#define BROKER_FLAG_V6ONLY 1
/* `token` is the inode of a listening socket: serve the connections that it accepts. */
#define BROKER_FLAG_LISTENER 0x40
/* The connection is older than the program: its first event may be lost. */
#define BROKER_FLAG_INHERITED 0x80
/* The other bits: an option that MPTCP refused (sockopt_pack()), of a registered token.
 */
#define BROKER_OPTION_SHIFT  1
#define BROKER_OPTION(flags) (((flags) & ~0xc0) >> BROKER_OPTION_SHIFT)

/* In the high byte of `version`: enum first_why. */
#define BROKER_WHY_SHIFT 8

/*
 * The `magic` of two other records: `token` is 0, and the answer a struct first_table; or
 * 1 + the index of an endpoint of that table, which did not answer.
 */
#define BROKER_MAGIC_FIRST 0x4d504246u /* "MPBF" */

/* Differs from connection to connection. */
struct broker_head {
	uint32_t magic;
	uint16_t version;
	uint16_t flags;
	uint32_t token;	   /* 0: the kernel has switched MPTCP off (blackhole_timeout) */
	uint32_t pool_len; /* bytes after both structures */
};

/* The same for all connections of a program; both texts end with a NUL. */
struct broker_program {
	char program[64]; /* program_invocation_short_name, cut */
	char path[1024];  /* of the pool file; for messages, and to identify the pool */
			  /* the text of the pool file follows */
};

#define BROKER_RECORD_MAX \
	(sizeof(struct broker_head) + sizeof(struct broker_program) + BROKER_POOL_MAX)
