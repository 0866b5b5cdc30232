/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what a server does with MPTCP over each uplink of a pool
 */
#pragma once

#include "mptcpaddr/engine.h"
#include "mptcpaddr/pm.h"
#include "mptcpaddr/pool.h"
#include "shim/netlink/request.h"

#include <limits.h>
#include <stdbool.h>

#define HANDSHAKES_MAX (POOL_ENDPOINTS_MAX + 1)
#define ANNOUNCED_MAX  32
#define PATHS_MAX      (POOL_LIMIT_MAX + 1)

enum handshake_result {
	HANDSHAKE_NONE, /* not answered yet */
	HANDSHAKE_MPTCP,
	HANDSHAKE_TCP,	   /* answered without the option */
	HANDSHAKE_DROPPED, /* no answer to a SYN with the option, but to one without */
	HANDSHAKE_NO_ANSWER,
	HANDSHAKE_FAILED, /* `error` */
};

/* One connection, from an endpoint or, with AF_UNSPEC, from where routing sends it */
struct handshake {
	struct mpaddr bound; /* port 0 */
	struct mpaddr local; /* with its port, once connected */
	char dev[IFNAMSIZ];
	enum handshake_result result;
	int fd, error;
	double ms;
	uint32_t token;
};

struct announced {
	struct mpaddr addr;
	uint8_t id;
};

struct probe {
	char host[256];
	struct mpaddr peer;
	char pool_path[PATH_MAX]; /* "": no pool file */
	const char *program; /* whose pool it is; "default": no one's; NULL: a file's */
	struct pool pool;    /* resolved */
	struct pool *spec;   /* as in the file; NULL: none */
	unsigned int section;
	struct rtnl_table machine;
	struct handshake handshakes[HANDSHAKES_MAX];
	unsigned int n, wait_ms;
	bool json;
	/* From events, which need CAP_NET_ADMIN */
	bool knows_events, c_flag;
	struct announced announced[ANNOUNCED_MAX];
	unsigned int n_announced;
};

/* A path that the pool gives, the first one included */
struct planned {
	struct mpaddr local, remote;
	bool backup;
};

struct plan {
	struct planned paths[PATHS_MAX];
	unsigned int n;
	uint64_t endpoints_used; /* of the pool */
	struct pm_conn_report report;
	struct pm_announced_report announced[ENGINE_ANNOUNCED_MAX];
	unsigned int n_announced;
};

/* probe_handshake() - the one from @ep, or NULL */
const struct handshake *probe_handshake(const struct probe *probe,
					const struct endpoint *ep);
/* probe_first() - of the connection that a program would have; NULL: plain TCP */
const struct handshake *probe_first(const struct probe *probe);

/*
 * plan_make() - play the server's part to an engine: which paths would the pool give?
 *
 * @first: of probe_first(). Return: 0; -ENOMEM.
 */
int plan_make(const struct probe *probe, const struct handshake *first,
	      struct plan *ret_plan);

/* probe_print() - as text or JSON; @plan: NULL: none, because nothing is MPTCP. */
void probe_print(const struct probe *probe, const struct plan *plan);
