/* SPDX-License-Identifier: MIT */
/*
 * index.h - find the position of an array element by a key, in constant time
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct index;

/* Room for @n keys of @key_size bytes each. Return: NULL without memory. */
struct index *index_new(size_t n, size_t key_size);

/*
 * index_add() - @key, which must stay where it is, stands for @pos
 *
 * The first one wins if a key comes twice.
 * Return: 0; -ENOSPC if the index is full, -ENOMEM.
 */
int index_add(struct index *index, const void *key, size_t pos);

/* Return: the position, or -1. */
ssize_t index_find(const struct index *index, const void *key);

void index_free(struct index *index);
