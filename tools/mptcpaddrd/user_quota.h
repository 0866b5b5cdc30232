/* SPDX-License-Identifier: MIT */
/*
 * user_quota.h - what each user has, and how much of it
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define USERS_MAX 4096

/* At most `per_second` on average, and as many again at once. */
struct rate {
	int64_t full_us; /* when the allowance will be whole again */
};

struct user {
	uid_t uid;
	struct rate registering, loading;
	unsigned int waiting; /* connections to our socket that have said nothing yet */
	unsigned int clients, connections, subflows;
	uint64_t registrations, refused;
	int64_t logged_ms; /* when it last had a line of the log */
	UT_hash_handle hh;
};

/* user_get() - the user of @uid, made if need be; NULL: too many, or no memory. */
struct user *user_get(struct user **users, uid_t uid);
void users_free(struct user **users);

/* rate_take() - whether one more is within the rate; then it counts. */
bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst,
	       int64_t now_us);
