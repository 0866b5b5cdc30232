// SPDX-License-Identifier: MIT
/*
 * forgotten.c - values of options that were ignored: the program may read them back
 *
 * A small table without locks: a later option may take a slot, which loses the value.
 */
#include "forgotten.h"
#include "own.h"
#include "syscall.h"

#define SLOTS 1024 /* a power of two */

struct forgotten {
	_Atomic uint64_t key; /* 0: free */
	socklen_t len;
	char value[16];
};

static struct forgotten *_Atomic table; /* NULL: no option was ignored */
static _Atomic uint64_t names;		/* a bit for each name, modulo 64 */

static struct forgotten *slot_of(struct forgotten *in, uint64_t key)
{
	return &in[key * UINT64_C(0x9e3779b97f4a7c15) >> 54 & (SLOTS - 1)];
}

/* A cookie has less than 48 bits. */
static uint64_t forgotten_key(int fd, int level, int name)
{
	return own_cookie(fd) << 16 | (level & 0xff) << 8 | (name & 0xff);
}

/* Not memcpy(): a libc symbol of another version costs each exec. */
static void copy_bytes(void *to, const void *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)to)[i] = ((const char *)from)[i];
}

void forgotten_add(int fd, int level, int name, const void *value, socklen_t len)
{
	struct forgotten *in = atomic_load(&table), *expected = NULL, *slot;
	const uint64_t key = forgotten_key(fd, level, name);

	if (len > sizeof(slot->value))
		return;
	if (!in) {
		in = sys_map(SLOTS * sizeof(*in));
		if (in && !atomic_compare_exchange_strong(&table, &expected, in)) {
			syscall(SYS_munmap, in, SLOTS * sizeof(*in));
			in = expected;
		}
	}
	if (!in)
		return;
	slot = slot_of(in, key);
	atomic_store(&slot->key, 0);
	copy_bytes(slot->value, value, len);
	slot->len = len;
	atomic_store(&slot->key, key);
	atomic_fetch_or(&names, UINT64_C(1) << (name & 63));
}

bool forgotten_may_have(int name)
{
	return atomic_load_explicit(&names, memory_order_relaxed) >> (name & 63) & 1;
}

bool forgotten_get(int fd, int level, int name, void *value, socklen_t *len)
{
	struct forgotten *in = atomic_load(&table), *slot;
	uint64_t key;

	if (!in)
		return false;
	key = forgotten_key(fd, level, name);
	slot = slot_of(in, key);
	if (atomic_load(&slot->key) != key || (int)*len < 0)
		return false;
	if (*len > slot->len)
		*len = slot->len;
	copy_bytes(value, slot->value, *len);
	return true;
}
