// SPDX-License-Identifier: MIT
/*
 * owner.c - which manager serves this process: its own thread, the broker or none
 */
#include "owner.h"
#include "syscall.h"

#include <pthread.h>

static _Atomic uint32_t owner;

uint32_t owner_get(void)
{
	return atomic_load(&owner);
}

bool owner_replace(uint32_t seen, uint32_t word)
{
	return atomic_compare_exchange_strong(&owner, &seen, word);
}

void owner_set(pid_t pid, enum owner_state state)
{
	atomic_store(&owner, owner_word(pid, state));
	futex_wake(&owner);
}

_Atomic uint32_t *owner_futex(void)
{
	return &owner;
}

void owner_wait_change(uint32_t word)
{
	futex_wait(&owner, word, SYS_WAIT_NS);
}

#ifdef __GLIBC__
#define RECURSIVE_MUTEX	   PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
#define MUTEX_OWNER(mutex) ((mutex).__data.__owner)
#else /* musl: its type, then its lock */
#define RECURSIVE_MUTEX                                 \
	{                                               \
		{                                       \
			{                               \
				PTHREAD_MUTEX_RECURSIVE \
			}                               \
		}                                       \
	}
#define MUTEX_OWNER(mutex) ((pid_t)((mutex).__u.__i[1] & FUTEX_TID_MASK))
#endif

/*
 * A vfork child runs with its parent's thread control block: the thread ID that libc
 * keeps there, visible in a locked mutex, is not its own.
 */
bool owner_is_vfork_child(pid_t tid)
{
	pthread_mutex_t mutex = RECURSIVE_MUTEX;
	bool differs;

	pthread_mutex_lock(&mutex);
	differs = MUTEX_OWNER(mutex) != tid;
	pthread_mutex_unlock(&mutex);
	return differs;
}
