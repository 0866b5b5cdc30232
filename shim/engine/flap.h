/* SPDX-License-Identifier: MIT */
/*
 * flap.h - endpoints that come and go
 */
#pragma once

#include "state.h"

/* flap_went() - the link or the address of an endpoint has gone, or a path went silent */
void flap_went(struct engine *engine, const struct mpaddr *addr);
/* flap_came() - it is back */
void flap_came(struct engine *engine, const struct mpaddr *addr);
/* flap_hold() - set engine->held for the present pool. */
void flap_hold(struct engine *engine);
/* flap_release() - the same, when engine->held_until is over: note which ones are free.
 */
void flap_release(struct engine *engine);
/* endpoint_note() - its state has changed to @state. */
void endpoint_note(struct engine *engine, const struct endpoint *ep,
		   enum endpoint_state state);
