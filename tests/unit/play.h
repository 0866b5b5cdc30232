/* SPDX-License-Identifier: MIT */
/*
 * play.h - play a history to an engine and check its commands
 *
 * Each step empties the list of commands first. Addresses are written "10.0.1.1:80",
 * "[2001:db8::1]:80", or without a port.
 */
#pragma once

#include "mptcpaddr/engine.h"

struct play {
	struct pool *pool;
	struct engine *engine;
	struct pm_cmds out;
	uint16_t port; /* the last local port */
};

#define TOKEN 0x1234u

/* Pools, with '|' for the end of a line */
#define POOL  "[pool]|"
#define A     "endpoint=10.0.2.2 id 12"
#define B     "endpoint=10.0.3.2 id 13"
#define THREE POOL "endpoint=10.0.1.2|endpoint=10.0.2.2|endpoint=10.0.3.2|"

struct mpaddr at(const char *text);

/* pool_from() - parse a pool file; the test fails if it is invalid. */
struct pool *pool_from(const char *text);

void play_open(struct play *play, const char *pool_text);
void play_close(struct play *play); /* fails if a table is not empty */

/* The socket is AF_INET6 if @local has brackets. */
void play_connect(struct play *play, uint32_t token, const char *local,
		  const char *remote);
void play_connect_v6only(struct play *play, uint32_t token, const char *local,
			 const char *remote);
void play_announce(struct play *play, uint32_t token, uint8_t remote_id,
		   const char *remote);
void play_remove(struct play *play, uint32_t token, uint8_t remote_id);
void play_closed(struct play *play, uint32_t token);

/* The kernel's answer to a command, its handshake, its end. */
void play_answer(struct play *play, const struct pm_cmd *cmd, int error);
void play_up(struct play *play, const struct pm_cmd *cmd);
void play_down(struct play *play, const struct pm_cmd *cmd, int error);

/* Its end by MP_TCPRST with @reason. */
void play_reset(struct play *play, const struct pm_cmd *cmd, uint8_t reason);
/* A peer with the C flag: no joins to its first address. */
void play_connect_c_flag(struct play *play, uint32_t token, const char *local,
			 const char *remote);

/* Answer a PM_CMD_CHECK, and run engine_tick(). */
void play_health(struct play *play, const struct pm_cmd *check,
		 const struct pm_health *health);
/* Set the clock and run due timers. */
void play_time(struct play *play, int64_t ms);
/* Change the pool; @mask: bits of endpoints in @state. Runs engine_tick(). */
void play_pool(struct play *play, const char *text, uint64_t mask,
	       enum endpoint_state state);

/* Subflows of other programs, or of the peer. */
void play_foreign_up(struct play *play, uint32_t token, const char *local,
		     uint8_t local_id, const char *remote);
void play_foreign_down(struct play *play, uint32_t token, const char *local,
		       const char *remote, int error, uint8_t reason);

/* The only command of the last step: from @local (NULL: routing) to @remote. */
struct pm_cmd wanted(const struct play *play, const char *local, const char *remote);
void wanted_none(const struct play *play);

/* Announce, join, establish. Return: the command. */
struct pm_cmd play_join(struct play *play, uint8_t remote_id, const char *local,
			const char *remote);

struct pm_conn_report play_view(const struct play *play, uint32_t token);

/*
 * play_script() - play a history written as text, see script.c; HISTORY() is a test of it
 *
 * In the pool, '|' ends a line.
 */
void play_script(const char *pool, const char *script);
#define HISTORY(suite, name, pool, script) \
	Test(suite, name)                  \
	{                                  \
		play_script(pool, script); \
	}
