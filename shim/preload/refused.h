/* SPDX-License-Identifier: MIT */
/*
 * refused.h - report once which options MPTCP refused, and what was done
 */
#pragma once

#include "shim/common/sockopt.h"

#include <stdbool.h>

extern sockopt_report refused_options;

/* refused_report() - for log and manager; once for each option and action. */
void refused_report(int level, int name, enum sockopt_action action);

/* refused_swapped() - a socket of this program became plain TCP. */
bool refused_swapped(void);

/* refused_next() - an option that the broker does not know yet, packed; 0: none. */
uint16_t refused_next(void);
