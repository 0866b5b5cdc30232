/* SPDX-License-Identifier: MIT */
/*
 * refused.h - say once which options MPTCP refused, and what was done
 */
#pragma once

enum refused_action {
	REFUSED_IGNORED,   /* harmless */
	REFUSED_TOLERATED, /* the pool file says so */
	REFUSED_LEFT_OUT,  /* the socket can no longer be replaced */
	REFUSED_SWAPPED,   /* the socket is plain TCP now */
	REFUSED_FAILED,	   /* the program gets MPTCP's error */
};

/* refused_report() - for the log; once for each option and action. */
void refused_report(int level, int name, enum refused_action action);
