/* SPDX-License-Identifier: MIT */
/*
 * user_quota.h - users and their limits
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define USERS_MAX 4096

/* At most `per_second` on average, in bursts of up to `burst`. */
struct rate {
	int64_t full_us; /* when a whole burst is allowed again */
};

struct user {
	uid_t uid;
	struct rate registering, loading;
	unsigned int waiting; /* connected peers without a request */
	unsigned int clients, connections, subflows;
	uint64_t registrations, refused;
	int64_t logged_ms; /* the last line about the user in the log */
	UT_hash_handle hh;
};

/* user_get() - find or make the user of @uid. NULL: too many, or no memory. */
struct user *user_get(struct user **users, uid_t uid);
void users_free(struct user **users);

/* rate_take() - count one more. Return: false, uncounted, if it exceeds the rate. */
bool rate_take(struct rate *rate, unsigned int per_second, unsigned int burst,
	       int64_t now_us);
