// SPDX-License-Identifier: MIT
/*
 * user_quota.c - users and their limits
 */
#include "user_quota.h"

#include <stdlib.h>

/* Drop users without clients. Their rates restart, but only many users can cause that. */
static void users_sweep(struct user **users)
{
	struct user *user, *next;

	HASH_ITER (hh, *users, user, next) {
		if (user->waiting || user->clients || user->connections)
			continue;
		HASH_DEL(*users, user);
		free(user);
	}
}

struct user *user_get(struct user **users, uid_t uid)
{
	struct user *user;

	HASH_FIND(hh, *users, &uid, sizeof(uid), user);
	if (user)
		return user;
	if (HASH_COUNT(*users) >= USERS_MAX)
		users_sweep(users);
	if (HASH_COUNT(*users) >= USERS_MAX)
		return NULL;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, *users, uid, sizeof(user->uid), user);
	return user;
}

void users_free(struct user **users)
{
	struct user *user, *next;

	HASH_ITER (hh, *users, user, next) {
		HASH_DEL(*users, user);
		free(user);
	}
}

bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst,
	       int64_t now_us)
{
	const int64_t each = per_second ? 1000000 / per_second : 1000000;

	if (!per_second)
		return false;
	if (rate->full_us < now_us)
		rate->full_us = now_us;
	if (rate->full_us - now_us > each * burst)
		return false;
	rate->full_us += each;
	return true;
}
