/* SPDX-License-Identifier: MIT */
/*
 * names.h - the control sockets of this network namespace
 */
#pragma once

#include <stddef.h>

#define NAMES_MAX     4096
#define NAME_TEXT_MAX 80

/*
 * names_find() - the abstract names of listening control sockets, whoever bound them
 *
 * Return: 0 with an array that the caller frees, NULL if there are none; -errno;
 * -E2BIG with the first NAMES_MAX of them.
 */
int names_find(char (**ret_names)[NAME_TEXT_MAX], size_t *ret_n);
