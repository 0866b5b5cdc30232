/* SPDX-License-Identifier: MIT */
/*
 * mode.h - whether this program gets MPTCP and a manager. Nothing here changes errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sockopt;

enum mode {
	MODE_UNKNOWN, /* before the first stream socket */
	MODE_OFF,     /* AT_SECURE, MPTCPADDR_DISABLE, or [app] mptcp = no */
	MODE_PLAIN,   /* MPTCP, but no pool file: no manager */
	MODE_POOL,
};

/* mode_get() - decide at the first call; MODE_UNKNOWN only while no descriptor is free.
 */
enum mode mode_get(void);

/* mode_known() - do not decide: a program without a stream socket never does. */
enum mode mode_known(void);

/* mode_tolerates() - the pool file's `tolerate` names the option. */
bool mode_tolerates(const struct sockopt *opt);

/* mode_keepalive() - [app] keepalive of the pool file, seconds; 0: none */
unsigned int mode_keepalive(void);

/* mode_turn_off() - MODE_OFF from now on. */
void mode_turn_off(void);

/*
 * mode_signals() - the pool has a `signal` endpoint: a listener needs a manager
 *
 * Return: 0; MODE_SIGNAL, MODE_PORT: what words its endpoints have.
 */
enum {
	MODE_SIGNAL = 1,
	MODE_PORT = 2,
};
unsigned int mode_signals(void);

/* mode_first() - the pool file has `first = pool` or `race`, as far as read. */
bool mode_first(void);

/* mode_read_first() - the file has changed, and contains @text now. */
void mode_read_first(const char *text, size_t len);
