/* SPDX-License-Identifier: MIT */
/*
 * traffic.h - a server that announces, and clients under the library
 */
#pragma once

#include "endpoint.h"
#include "launcher.h"
#include "subflow.h"
#include "until.h"

#define TRAFFIC_PORT "8080"

/* traffic_serve() - on the server, native MPTCP, or plain TCP; @announced may be NULL */
void traffic_serve(struct bench *b, struct proc *server, bool plain_tcp,
		   const char *const announced[]);

/*
 * traffic_connect() - one connection to 10.0.1.1 by a program under the library
 *
 * It stays until proc_end(). @pool: the text of its pool file, NULL: it has none;
 * @who: the words of a program that starts it, NULL: none.
 */
void traffic_connect(struct bench *b, struct proc *client, const char *pool,
		     const char *const who[]);

/* The client host's joined pairs become @pairs, as pairs_text() writes them. */
void traffic_pairs(struct bench *b, const char *pairs);
