/* SPDX-License-Identifier: MIT */
/*
 * engine.h - which subflows to create, which addresses to announce
 *
 * An engine owns the connection table and each connection's table of used local IDs.
 * It is pure: events in, commands out. One thread at a time may call into it. Time is
 * told to it with engine_set_clock(); whatever comes back full in @out is gone on with by
 * engine_tick().
 */
#pragma once

#include "mptcpaddr/note.h"
#include "mptcpaddr/pm.h"
#include "mptcpaddr/pool.h"

struct engine;

/* Everything that the peer or the application could grow without end. */
#define ENGINE_CONNS_MAX     1000000
#define ENGINE_ANNOUNCED_MAX 64 /* announcements remembered of one connection */
#define ENGINE_SUBFLOWS_MAX  255

/* engine_new() - @pool is borrowed and must outlive the engine. NULL: no memory. */
struct engine *engine_new(const struct pool *pool);
void engine_free(struct engine *engine); /* accepts NULL */

/*
 * engine_set_router() - whom to ask which local address routing takes for a remote one
 *
 * Where routing picks an address that is an endpoint, it is that endpoint's subflow, with
 * its ID and flags. @route returns false, and writes nothing, if it does not know.
 * Without it, or then, the kernel is left to choose. The only question that an engine
 * asks.
 */
typedef bool (*engine_route_fn)(void *ctx, const struct mpaddr *remote,
				struct mpaddr *ret_local);
void engine_set_router(struct engine *engine, engine_route_fn route, void *ctx);

/* engine_set_log() - call @log with each note; NULL: nothing is called. */
typedef void (*engine_log_fn)(void *ctx, const struct pm_note *note);
void engine_set_log(struct engine *engine, engine_log_fn log, void *ctx);

/* engine_set_clock() - the time, in milliseconds of any steady clock, for what follows.
 */
void engine_set_clock(struct engine *engine, int64_t now_ms);

/*
 * engine_set_old_kernel() - SUBFLOW_CREATE ignores flags (before Linux 6.9)
 *
 * `backup` is then set once the subflow is established, with MP_PRIO.
 */
void engine_set_old_kernel(struct engine *engine);

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
 * engine_tick() - do what is due by now, and what did not fit before
 *
 * Return: whether there is more, and @out was too short.
 */
bool engine_tick(struct engine *engine, struct pm_cmds *out);

/* engine_wait() - milliseconds until engine_tick() has something to do; -1: nothing. */
int engine_wait(const struct engine *engine);

/*
 * engine_set_pool() - another pool is in force, or the same one with other addresses
 *
 * @pool is borrowed in place of the one before, which may be freed afterwards. Addresses
 * keep the IDs that they have. engine_tick() closes, creates, announces and withdraws
 * what this calls for.
 */
void engine_set_pool(struct engine *engine, const struct pool *pool);

/*
 * engine_inherit() - this is a forked child's copy of its parent's engine
 *
 * The connections in it are the parent's business: events are noted, but nothing is
 * requested for them until engine_take_over(). A copy of an engine that is waiting
 * itself keeps only what that one waits for.
 */
void engine_inherit(struct engine *engine);

/* engine_take_over() - the inherited connections are ours; engine_tick() goes on. */
void engine_take_over(struct engine *engine);
bool engine_is_waiting(const struct engine *engine); /* for engine_take_over() */

/*
 * engine_resync_begin(), _subflow() for each subflow that the kernel has, _end()
 *
 * After events were lost, what the kernel has is the truth: connections without any
 * subflow are dropped, a pending join that is not found has failed, a live subflow that
 * is not found was closed. An address that our side has joined was announced; any other
 * ADD_ADDR among the lost events stays unknown until the peer repeats it.
 *
 * @sub is like a SUB_ESTABLISHED event, server_side if the peer opened it; @live is false
 * while it is being connected,
 * @initial true for the subflow of MP_CAPABLE. Return: 0; -ENOENT for a foreign token;
 * -ENOMEM.
 */
void engine_resync_begin(struct engine *engine);
int engine_resync_subflow(struct engine *engine, const struct pm_event *sub, bool live,
			  bool initial);
void engine_resync_end(struct engine *engine);

/* engine_note() - note an overrun or a pool; @error: why the pool was rejected, or 0. */
void engine_note(struct engine *engine, enum pm_note_what what, int error);

const struct pm_counters *engine_counters(const struct engine *engine);
unsigned int engine_conns(const struct engine *engine);
unsigned int engine_used_ids(const struct engine *engine);
/* engine_tokens() - of all connections, if at most @max. Return: how many there are. */
unsigned int engine_tokens(const struct engine *engine, uint32_t *ret_tokens,
			   unsigned int max);

/*
 * engine_report() - a page of connections or of announcements, for mptcpinfo
 *
 * One of @ret_conns and @ret_announced is NULL. @after is 0 or *@ret_next of the previous
 * call, which is 0 at the end. A page has whole connections only: @max must be at least
 * ENGINE_ANNOUNCED_MAX for announcements. Connections that the parent process manages are
 * left out. Return: the number of records, at most @max.
 */
unsigned int engine_report(const struct engine *engine, uint64_t after, unsigned int max,
			   struct pm_conn_report *ret_conns,
			   struct pm_announced_report *ret_announced, uint64_t *ret_next);
/* Connections that engine_report() shows. */
unsigned int engine_count_shown(const struct engine *engine);
/* Live subflows of each endpoint; @ret_used has POOL_ENDPOINTS_MAX elements. */
void engine_count_used(const struct engine *engine, uint32_t *ret_used);

/*
 * engine_notes() - what happened later than note number @after
 *
 * `time_ns` is engine_set_clock()'s, in nanoseconds. Return: how many of at most @max.
 */
unsigned int engine_notes(const struct engine *engine, uint64_t after, unsigned int max,
			  struct pm_note *ret_notes);
uint64_t engine_notes_last(const struct engine *engine); /* the number of the last one */
