// SPDX-License-Identifier: MIT
/*
 * user_quota.c - what each user has, and how much of it
 */
#include "user_quota.h"

#include <stdlib.h>

/* Those that hold nothing can go. Their rates start anew: many users, not one, do that.
 */
static void sweep(struct account **accounts)
{
	struct account *account, *next;

	HASH_ITER (hh, *accounts, account, next) {
		if (account->waiting || account->clients || account->connections)
			continue;
		HASH_DEL(*accounts, account);
		free(account);
	}
}

struct account *account_get(struct account **accounts, uid_t uid)
{
	struct account *account;

	HASH_FIND(hh, *accounts, &uid, sizeof(uid), account);
	if (account)
		return account;
	if (HASH_COUNT(*accounts) >= ACCOUNTS_MAX)
		sweep(accounts);
	if (HASH_COUNT(*accounts) >= ACCOUNTS_MAX)
		return NULL;
	account = calloc(1, sizeof(*account));
	if (!account)
		return NULL;
	account->uid = uid;
	HASH_ADD(hh, *accounts, uid, sizeof(account->uid), account);
	return account;
}

void accounts_free(struct account **accounts)
{
	struct account *account, *next;

	HASH_ITER (hh, *accounts, account, next) {
		HASH_DEL(*accounts, account);
		free(account);
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
