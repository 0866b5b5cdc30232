/* SPDX-License-Identifier: MIT */
/*
 * control.h - what a manager tells to mptcpinfo
 *
 * A manager listens on a SOCK_SEQPACKET socket in the abstract namespace, bound to
 * "mptcpaddr/PID" (no leading path, no trailing NUL; PID in decimal): scoped to the
 * network namespace, gone with its process. One request datagram gets one answer
 * datagram: a ctl_answer header followed by `count` records of `record_size` bytes.
 * Everything is in host byte order: both ends are on one machine. A manager serves
 * its own user and root (SO_PEERCRED) and hangs up on everybody else.
 */
#ifndef MPTCPADDR_CONTROL_H
#define MPTCPADDR_CONTROL_H

#include <stdint.h>

#define CTL_NAME_PREFIX "mptcpaddr/"
#define CTL_MAGIC	0x4d504144u /* "MPAD" */
#define CTL_VERSION	1
#define CTL_PAGE_MAX	2048 /* records in one answer */

enum ctl_op {
	CTL_OP_MANAGER = 1,	/* one struct ctl_manager */
	CTL_OP_CONNECTIONS = 2, /* struct ctl_connection each; paged by `first` */
};

struct ctl_request {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	uint32_t first; /* index of the first record wanted */
};

struct ctl_answer {
	uint32_t magic;
	uint16_t version;
	uint16_t op;
	int32_t error; /* 0, or -EPROTO (version, see `version`), -EINVAL, -EOPNOTSUPP */
	uint32_t count;
	uint32_t record_size;
	uint32_t total; /* records that there are in all */
};

struct ctl_manager {
	uint32_t pid;
	uint32_t connections; /* entries of the connection table */
	uint32_t used_ids;    /* entries of the table of used local IDs */
	uint32_t early;	      /* events held for connections not registered yet */
	uint64_t events;
	uint64_t events_replayed;
	uint64_t events_foreign; /* about connections that are not ours */
	uint64_t overruns;	 /* ENOBUFS on the event socket */
	uint64_t add_addr_received;
	uint64_t add_addr_repeated;
	uint64_t add_addr_joined;
	uint64_t add_addr_waiting; /* found every endpoint in use, or none that fits */
	uint64_t add_addr_refused; /* by the filter or a limit */
	uint64_t rm_addr_received;
	uint64_t subflows_requested;
	uint64_t subflows_established;
	uint64_t subflows_failed; /* the kernel said no, or the join failed */
	uint64_t subflows_closed;
	uint64_t registrations;
	uint64_t registrations_lost;
	char backend[8];     /* "direct" */
	char program[16];    /* program_invocation_short_name, cut */
	char pool_file[256]; /* the file in force, cut */
	char pool_error[256];
};

struct ctl_connection {
	uint32_t token;
	uint8_t subflows; /* live or pending, the first one included */
	uint8_t announced;
	uint8_t waiting;
	uint8_t established; /* the kernel confirmed the connection */
};

#endif
