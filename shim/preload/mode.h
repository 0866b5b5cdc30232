/* SPDX-License-Identifier: MIT */
/*
 * mode.h - what the library does in this program
 */
#pragma once

#include <stdbool.h>

enum mode {
	MODE_UNKNOWN, /* until the first stream socket */
	MODE_OFF,     /* AT_SECURE, MPTCPADDR_DISABLE, or [app] mptcp = no */
	MODE_PLAIN,   /* MPTCP, and no pool file: no path manager */
	MODE_POOL,
};

/*
 * mode_get() - decided once, at the first call; errno is kept
 *
 * MODE_UNKNOWN only while no descriptor is free to look with.
 */
enum mode mode_get(void);

/* mode_known() - as far as decided: a program without a stream socket never decides. */
enum mode mode_known(void);

/*
 * mode_signals() - whether the pool file has a `signal` endpoint: only then does a
 * program that listens need a manager; errno is kept
 */
bool mode_signals(void);
