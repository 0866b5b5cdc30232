/* SPDX-License-Identifier: MIT */
/*
 * real.h - which programs a run of check-apps tests
 */
#pragma once

#include <stdbool.h>

/* Whether APPS or QUARTER of the environment selects the row @number. */
bool row_selected(const char *name, int number);
