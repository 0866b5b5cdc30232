// SPDX-License-Identifier: MIT
/*
 * flapping.c - an endpoint whose address comes and goes, as mptcpinfo shows it
 */
#include <stdlib.h>
#include <string.h>

#include "eventlog.h"
#include "skip.h"
#include "until.h"

#define FLAPS 8

static int events(const struct log *l, const char *what)
{
	char *all = proc_output(&l->json), word[64];
	const char *at = all;
	int n = 0;

	snprintf(word, sizeof(word), "\"event\":\"%s\"", what);
	while ((at = strstr(at, word)) != NULL) {
		at++;
		n++;
	}
	free(all);
	return n;
}

static bool is_shown(const struct log *l, const char *words)
{
	struct said said = info(&l->s.w.client, NULL);
	bool shown = strstr(said.out, words);

	said_free(&said);
	return shown;
}

/* The address goes and comes; each time the manager has seen it. */
static void flap(struct log *l, const char *unused)
{
	for (int i = 1; i <= FLAPS; i++) {
		run_ip(l, "addr del 10.0.2.2/24 dev c2\n");
		cr_assert(WAIT_FOR(events(l, "endpoint_gone") == i));
		run_ip(l, "addr add 10.0.2.2/24 dev c2\n"
			  "route add default via 10.0.2.1 dev c2 metric 20\n");
		cr_assert(WAIT_FOR(events(l, "endpoint_back") >= i));
	}
	cr_assert(is_shown(l, "10.0.2.2 held"));
	cr_assert(is_shown(l, "10.0.2.2 came and went 8 times: used again in "));
	cr_assert_eq(subflows_on(&l->s.w.client), 1);
	is_valid_json(&l->s.w.client, NULL);
}

static void is_joined(struct log *l, const char *unused)
{
	cr_assert(WAIT_FOR(subflows_on(&l->s.w.client) == 2));
	cr_assert(is_shown(l, "10.0.2.2 used"));
}

LOG_TEST(flapping, endpoint_that_comes_and_goes_waits_and_is_used_again,
	 ONE_LINK "[retry]\nfirst = 10s\nmax = 10s\n", JOINED,
	 { DO(flap, NULL), SHOWS("endpoint_back", "10.0.2.2", NULL,
				 "]: endpoint up: 10.0.2.2 (id 1): came and went often, "
				 "used again in 10 s") },
	 { DO(announce, "10.0.3.1"),
	   SHOWS("announced", NULL, "10.0.3.1",
		 "-> not joined: the endpoint came and went often, and waits\n"),
	   HAS("reason", "\"flapping\"") },
	 { DO(is_joined, NULL) })
