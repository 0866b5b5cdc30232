/* SPDX-License-Identifier: MIT */
/*
 * engine.h - which subflows to create
 *
 * An engine owns the connection table and each connection's table of used local IDs.
 * It is pure: events in, commands out. One thread at a time may call into it.
 */
#ifndef MPTCPADDR_ENGINE_H
#define MPTCPADDR_ENGINE_H

#include "mptcpaddr/pm.h"
#include "mptcpaddr/pool.h"

struct engine;

/* Everything that the peer or the application could grow without end. */
#define ENGINE_CONNS_MAX     1000000
#define ENGINE_ANNOUNCED_MAX 64 /* announcements remembered of one connection */
#define ENGINE_SUBFLOWS_MAX  255

struct engine_counters {
	uint64_t add_addr_received;
	uint64_t add_addr_repeated; /* reached, pending or known already */
	uint64_t add_addr_joined;   /* a subflow to it was established */
	uint64_t add_addr_waiting;  /* every endpoint was in use, or none fitted */
	uint64_t add_addr_refused;  /* by the filter or a limit */
	uint64_t rm_addr_received;
	uint64_t subflows_requested;
	uint64_t subflows_established;
	uint64_t subflows_failed; /* the kernel said no, or the join failed */
	uint64_t subflows_closed; /* had been established */
};

/* A connection as mptcpinfo sees it. */
struct engine_conn_view {
	uint32_t token;
	uint8_t subflows; /* live or pending, the first one included */
	uint8_t announced, waiting;
	bool established;
};

/* engine_new() - @pool is borrowed and must outlive the engine. NULL: no memory. */
struct engine *engine_new(const struct pool *pool);
void engine_free(struct engine *engine); /* accepts NULL */

/*
 * engine_register() - take a connection into the table
 *
 * Return: 0, also when it is there already; -ENOSPC; -ENOMEM.
 */
int engine_register(struct engine *engine, const struct pm_registration *reg);

/*
 * engine_expire() - drop connections of which no event came since before @since, but
 * keep the @keep newest ones
 *
 * A connection that fell back to TCP, or whose SYN was never answered, has no events.
 * Return: how many were dropped.
 */
unsigned int engine_expire(struct engine *engine, int64_t since, unsigned int keep);

/*
 * engine_handle() - take one event, append the commands that it calls for to @out
 *
 * Return: 0; -ENOENT if the token is not registered (nothing was done); -ENOMEM.
 */
int engine_handle(struct engine *engine, const struct pm_event *ev, struct pm_cmds *out);

/*
 * engine_result() - the kernel's answer to a command
 *
 * @error is 0 or a positive errno. A refused command may lead to another one at once:
 * the next free endpoint.
 */
void engine_result(struct engine *engine, const struct pm_cmd *cmd, int error,
		   struct pm_cmds *out);

/*
 * engine_inherit() - this is a forked child's copy of its parent's engine
 *
 * The connections in it are the parent's business: events are noted, but nothing is
 * requested for them until engine_take_over(). A copy of an engine that is waiting
 * itself keeps only what that one waits for.
 */
void engine_inherit(struct engine *engine);

/* engine_take_over() - the inherited connections are ours; engine_retry() goes on. */
void engine_take_over(struct engine *engine);

/* engine_retry() - try what waits; to be called again while @out comes back full. */
void engine_retry(struct engine *engine, struct pm_cmds *out);

/*
 * engine_resync_begin(), _subflow() for each subflow that the kernel has, _end()
 *
 * After events were lost, what the kernel has is the truth: connections without any
 * subflow are dropped, a pending join that is not found has failed, a live subflow that
 * is not found was closed. An ADD_ADDR among the lost events stays unknown until the
 * peer repeats it.
 *
 * @sub is like a SUB_ESTABLISHED event; @live is false while it is being connected,
 * @initial true for the subflow of MP_CAPABLE. Return: 0; -ENOENT for a foreign token;
 * -ENOMEM.
 */
void engine_resync_begin(struct engine *engine);
int engine_resync_subflow(struct engine *engine, const struct pm_event *sub, bool live,
			  bool initial);
void engine_resync_end(struct engine *engine);

const struct engine_counters *engine_counters(const struct engine *engine);
unsigned int engine_conns(const struct engine *engine);
unsigned int engine_used_ids(const struct engine *engine);

/*
 * engine_view() - up to @max connections from index @first on
 *
 * Those that are still the parent process's business are left out. Return: how many
 * of @ret_views were filled; *@ret_total: how many there are.
 */
unsigned int engine_view(const struct engine *engine, unsigned int first,
			 unsigned int max, struct engine_conn_view *ret_views,
			 unsigned int *ret_total);

#endif
