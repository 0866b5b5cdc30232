// SPDX-License-Identifier: MIT
/*
 * index.c - a hash from a key inside an array element to the element's position
 *
 * The nodes lie beside the array, not in it, so that the model stays plain data and
 * one array can have several indices.
 */
#define HASH_NONFATAL_OOM 1

#include "index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

static bool out_of_memory;
#define uthash_nonfatal_oom(elt) (out_of_memory = true)
#include <uthash.h>

struct node {
	size_t pos;
	UT_hash_handle hh;
};

struct index {
	struct node *head;
	size_t key_size;
	size_t used;
	size_t room;
	struct node nodes[];
};

struct index *index_new(size_t n, size_t key_size)
{
	struct index *index = calloc(1, sizeof(*index) + n * sizeof(struct node));

	if (!index)
		return NULL;
	index->key_size = key_size;
	index->room = n;
	return index;
}

int index_add(struct index *index, const void *key, size_t pos)
{
	struct node *node;

	if (index_find(index, key) >= 0)
		return 0;
	if (index->used == index->room)
		return -ENOSPC;
	node = &index->nodes[index->used++];
	node->pos = pos;
	out_of_memory = false;
	HASH_ADD_KEYPTR(hh, index->head, key, index->key_size, node);
	return out_of_memory ? -ENOMEM : 0;
}

ssize_t index_find(const struct index *index, const void *key)
{
	struct node *node;

	HASH_FIND(hh, index->head, key, index->key_size, node);
	return node ? (ssize_t)node->pos : -1;
}

void index_free(struct index *index)
{
	if (!index)
		return;
	HASH_CLEAR(hh, index->head);
	free(index);
}
