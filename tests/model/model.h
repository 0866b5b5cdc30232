/* SPDX-License-Identifier: MIT */
/*
 * model.h - one connection of the real engine in a small world
 *
 * Three interfaces with an address each, and a peer that announces three addresses. The
 * kernel, which answers the engine's commands, is a model; engine and pools are real.
 */
#pragma once

#include "mptcpaddr/engine.h"

#define WIDTH	 3
#define SUBS_MAX 16
#define TOKEN	 0x1234u

enum {
	LATE = 1,  /* the engine reads events later, several at a time */
	HOLES = 2, /* all is joined, interfaces are black holes, and none goes */
	FLAPS = 4, /* one interface comes and goes, and did so often before */
};

struct scene {
	const char *name;
	const char *first;    /* local address of the first subflow */
	const char *texts[2]; /* pool files, before and after a reload */
	unsigned int how;     /* LATE, HOLES, FLAPS */
	struct pool *specs[2];
};

struct sub {
	struct mpaddr local, remote;
	uint8_t local_id, remote_id;
	bool live; /* false: the SYN is not answered yet */
	bool initial;
	bool routed; /* the engine learns its address when it is live */
	bool stuck;  /* it was in a black hole, and carries no data by itself any more */
};

enum action_kind {
	ACTION_ANNOUNCE,  /* an address of the peer */
	ACTION_WITHDRAW,  /* likewise */
	ACTION_ESTABLISH, /* a subflow */
	ACTION_FAIL,	  /* likewise: a join is reset, or has no answer */
	ACTION_CLOSE,	  /* likewise: by the peer */
	ACTION_BREAK,	  /* likewise: with an error */
	ACTION_READ,	  /* the engine reads what has happened, if it is late */
	ACTION_LINK,	  /* an interface goes down or up */
	ACTION_ADDRESS,	  /* its address goes or comes */
	ACTION_ROUTE,	  /* its route goes or comes */
	ACTION_HOLE,	  /* it swallows all that it should send, or does so no more */
	ACTION_RELOAD,	  /* the other pool file */
	ACTION_TIME,	  /* until the next timer */
	ACTION_KINDS
};

struct action {
	uint8_t kind, which;
};

struct world {
	const struct scene *scene;
	struct engine *engine;
	struct pool pools[2]; /* resolved; the engine's is pools[pool] */
	unsigned int pool;
	bool reloaded;
	uint8_t links, addrs, routes, holes; /* bits of interfaces */
	bool known[WIDTH];		     /* announced and not withdrawn */
	bool closed[WIDTH];		     /* by the peer, and not announced again */
	int64_t now;
	unsigned int n_subs;
	struct sub subs[SUBS_MAX];
	uint8_t ids[256];   /* the network of the address with this ID */
	bool removing[256]; /* REMOVE_ADDR was sent */
	unsigned int n_events, n_cmds;
	struct pm_event events[4 * SUBS_MAX];
	struct pm_cmd cmds[4 * SUBS_MAX];
	bool trace;	   /* print each step */
	const char *fault; /* the first rule that was broken */
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* world_open() - a new connection, established. Frees nothing: world_close() first. */
void world_open(struct world *w, const struct scene *scene);
void world_close(struct world *w);

/* world_allows() - whether @a can happen now */
bool world_allows(const struct world *w, struct action a);
/* world_act() - let @a happen, and the engine do what follows from it. */
void world_act(struct world *w, struct action a);
/* world_settle() - let the engine read and do all that it can. */
void world_settle(struct world *w);
/* world_heal() - all links, addresses and routes are back, all joins succeed. */
void world_heal(struct world *w);

/* What a rule is about */
/* world_is_known() - retransmissions show the black holes of all but one interface. */
bool world_is_known(const struct mpaddr *local);
bool world_uses(const struct world *w, const struct mpaddr *local);
bool world_reaches(const struct world *w, unsigned int announced);
bool world_is_laminar(const struct endpoint *ep);
struct mpaddr world_remote(unsigned int announced);
void world_fault(struct world *w, const char *rule);

/* world_check_all() - the rules for a state at rest, and after world_heal() */
void world_check_all(struct world *w);
/* world_hash() - of all that decides what can follow */
uint64_t world_hash(const struct world *w);

/* walk() - random histories */
void walk(struct scene *scene);
