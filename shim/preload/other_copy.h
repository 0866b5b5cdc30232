/* SPDX-License-Identifier: MIT */
/*
 * other_copy.h - another copy of this library in the process
 */
#pragma once

#include <stdbool.h>

/*
 * other_copy_is_first() - whether another copy was loaded earlier, and manages this
 * process
 *
 * Then the mode becomes MODE_OFF, once and for all, and the log says so. Changes errno.
 */
bool other_copy_is_first(void);
