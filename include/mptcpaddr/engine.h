/* SPDX-License-Identifier: MIT */
/*
 * engine.h - which subflows to create, which addresses to announce
 *
 * An engine owns the connection table and each connection's table of used local IDs. It
 * is pure: events in, commands out, the time by engine_set_clock(). One thread at a time
 * may call it. If @out fills up, engine_tick() continues.
 */
#pragma once

#include "mptcpaddr/note.h"
#include "mptcpaddr/pm.h"
#include "mptcpaddr/pool.h"

struct engine;

/* Limits for what peers and programs control */
#define ENGINE_CONNS_MAX     1000000
#define ENGINE_ANNOUNCED_MAX 64 /* remembered for each connection */
#define ENGINE_SUBFLOWS_MAX  255

/* engine_new() - @pool is borrowed. NULL: no memory. */
struct engine *engine_new(const struct pool *pool);
void engine_free(struct engine *engine); /* accepts NULL */

/*
 * The local address that routing picks for @remote. If that is an endpoint, its ID and
 * flags apply. Return false, and write nothing, if it is unknown: the kernel then picks.
 */
typedef bool (*engine_route_fn)(void *ctx, const struct mpaddr *remote,
				struct mpaddr *ret_local);
typedef void (*engine_log_fn)(void *ctx, const struct pm_note *note);

/* engine_set_callbacks() - @route decides, @log gets each note; NULL: none. */
void engine_set_callbacks(struct engine *engine, engine_route_fn route, engine_log_fn log,
			  void *ctx);

/*
 * engine_hold_log() - keep notes from the log until engine_release_log()
 *
 * While commands wait to be sent. Notes beyond the last PM_NOTES_MAX are not logged.
 */
void engine_hold_log(struct engine *engine);
void engine_release_log(struct engine *engine);

typedef bool (*engine_own_fn)(void *ctx, const struct mpaddr *addr);
/* engine_set_own() - @own: whether an address is this machine's; none are joined. */
void engine_set_own(struct engine *engine, engine_own_fn own, void *ctx);

/* engine_set_clock() - the time for the calls that follow, of any steady clock. */
void engine_set_clock(struct engine *engine, int64_t now_ms);

/* engine_set_old_kernel() - before 6.9 SUBFLOW_CREATE ignores flags: use MP_PRIO. */
void engine_set_old_kernel(struct engine *engine);

/* engine_watch() - check paths for black holes, which no event reports: PM_CMD_CHECK. */
void engine_watch(struct engine *engine);

/* engine_register() - add a connection. Return: 0, also for a known token; -ENOSPC. */
int engine_register(struct engine *engine, const struct pm_registration *reg);

/*
 * engine_expire() - drop connections registered before @since that had no event
 *
 * They fell back to TCP, or nobody answered their SYN. The @keep newest ones stay.
 * Return: the number of connections dropped.
 */
unsigned int engine_expire(struct engine *engine, int64_t since, unsigned int keep);

/* engine_lacks_first() - the connection is registered, its ESTABLISHED has not come. */
bool engine_lacks_first(struct engine *engine, uint32_t token);

/*
 * engine_handle() - apply an event, append the resulting commands to @out
 *
 * Return: 0; -ENOENT for an unknown token, without any change; -ENOMEM.
 */
int engine_handle(struct engine *engine, const struct pm_event *ev, struct pm_cmds *out);

/*
 * engine_result() - apply the kernel's answer to a command
 *
 * @error: 0 or a positive errno. After a refusal, the next free endpoint may follow at
 * once in @out.
 */
void engine_result(struct engine *engine, const struct pm_cmd *cmd, int error,
		   struct pm_cmds *out);

/* engine_checked() - apply the answer to PM_CMD_CHECK; engine_tick() continues. */
void engine_checked(struct engine *engine, const struct pm_cmd *cmd,
		    const struct pm_health *health, struct pm_cmds *out);

/*
 * engine_metered() - bytes carried by paths of `metered` endpoints since the last call
 *
 * 0 without a quota. Each path counts from its first check to its last.
 */
uint64_t engine_metered(struct engine *engine);

/*
 * engine_rerouted() - there are new routes: engine_tick() tries what failed again
 *
 * @families: FAMILY_BIT() of them
 */
void engine_rerouted(struct engine *engine, unsigned int families);

/* engine_tick() - run due timers and waiting work. Return: whether @out is full. */
bool engine_tick(struct engine *engine, struct pm_cmds *out);

/* engine_wait() - milliseconds until engine_tick() is due; -1: no timer runs. */
int engine_wait(const struct engine *engine);

/*
 * engine_set_pool() - replace the pool, or its addresses
 *
 * Borrows @pool; the caller may free the previous one. Addresses keep their IDs.
 * engine_tick() closes, creates, announces and withdraws accordingly.
 */
void engine_set_pool(struct engine *engine, const struct pool *pool);

/*
 * engine_inherit() - adapt a forked child's copy of its parent's engine
 *
 * The parent manages the connections in it: the engine notes their events, but requests
 * nothing for them before engine_take_over(). If the parent was waiting for its own
 * parent, only the connections of that one stay.
 */
void engine_inherit(struct engine *engine);

/* engine_take_over() - manage the inherited connections; engine_tick() continues. */
void engine_take_over(struct engine *engine);
bool engine_is_waiting(const struct engine *engine); /* for engine_take_over() */

/*
 * engine_resync() - after lost events, with all @subflows that the kernel has
 *
 * The kernel is right: a connection without subflows is dropped; a missing pending join
 * has failed; a missing live subflow was closed. An address that our side has joined was
 * announced; other lost ADD_ADDRs stay unknown until the peer repeats them.
 * engine_tick() must follow. Return: 0; -ENOMEM: repeat it, some connections make no
 * joins until then.
 */
int engine_resync(struct engine *engine, const struct pm_subflow *subflows,
		  unsigned int n);

/* engine_note() - note an overrun or a pool; @error: why the pool was rejected, or 0. */
void engine_note(struct engine *engine, enum pm_note_what what, int error);

/* engine_note_unanswered() - note that the SYN of @first, of our pool, has no answer. */
void engine_note_unanswered(struct engine *engine, const struct pm_event *first);

const struct pm_counters *engine_counters(const struct engine *engine);
unsigned int engine_conns(const struct engine *engine);

/* engine_has_unconfirmed() - connections without an event: connecting, or TCP */
bool engine_has_unconfirmed(const struct engine *engine);
bool engine_has_conn(const struct engine *engine, uint32_t token);
/* engine_joins() - open subflows of @token besides its first one, whoever made them */
unsigned int engine_joins(const struct engine *engine, uint32_t token);
/* engine_has_join() - the subflow of @ev is one of those */
bool engine_has_join(const struct engine *engine, const struct pm_event *ev);
unsigned int engine_used_ids(const struct engine *engine);
/* engine_tokens() - fill in all tokens if they are at most @max. Return: their number. */
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
/*
 * engine_count_shown() - the number of connections that engine_report() shows
 *
 * @ret_used: NULL, or for the live subflows of each of POOL_ENDPOINTS_MAX endpoints.
 */
unsigned int engine_count_shown(const struct engine *engine, uint32_t *ret_used);

/*
 * engine_endpoint_held() - whether an endpoint came and went so often that it must wait
 *
 * @ret_flaps: NULL, or how often, if it must. Return: for how many milliseconds.
 */
int32_t engine_endpoint_held(const struct engine *engine, unsigned int i,
			     unsigned int *ret_flaps);

/* engine_notes() - those after @after, in engine_set_clock()'s time. Return: how many. */
unsigned int engine_notes(const struct engine *engine, uint64_t after, unsigned int max,
			  struct pm_note *ret_notes);
uint64_t engine_notes_last(const struct engine *engine); /* the last number */
