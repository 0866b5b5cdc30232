// SPDX-License-Identifier: MIT
/*
 * edit.c - a running program's pool edited in the words of `ip mptcp`
 */
#include "mptcpaddr/uapi.h"
#include "play.h"
#include "shim/pool/endpoint.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Each edits "A; B backup". The result is written "ADDRESS ID FLAGS;", or is an error. */
static const struct {
	const char *words, *result;
} edits[] = {
	{ "endpoint add 10.0.4.2 signal",
	  "10.0.2.2 12 laminar;10.0.3.2 13 laminar backup;10.0.4.2 1 signal;" },
	{ "endpoint add 10.0.2.2", "duplicate endpoint 10.0.2.2" },
	{ "endpoint add nonsense", "unknown word \"nonsense\" in an endpoint" },
	{ "endpoint del 10.0.2.2", "10.0.3.2 13 laminar backup;" },
	{ "endpoint del id 13", "10.0.2.2 12 laminar;" },
	{ "endpoint del id 7", "no such endpoint in the pool" },
	{ "endpoint del id 12 more", "unknown word \"more\" in an endpoint" },
	{ "endpoint change 10.0.2.2 backup fullmesh",
	  "10.0.2.2 12 laminar fullmesh backup;10.0.3.2 13 laminar backup;" },
	{ "endpoint change id 13 nobackup", "10.0.2.2 12 laminar;10.0.3.2 13 laminar;" },
	{ "endpoint change nofullmesh 10.0.9.2", "no such endpoint in the pool" },
	{ "endpoint change 10.0.2.2",
	  "only [no]backup, [no]fullmesh and [no]metered can change" },
	{ "endpoint flush", "" },
	{ "endpoint flush 10.0.2.2", "flush takes no address" },
	{ "endpoint", "expected endpoint add, del, change or flush" },
	{ "endpoint show", "expected endpoint add, del, change or flush" },
	{ "limits subflows 3 add_addr_accepted 2", NULL },
	{ "limits subflows", "\"subflows\" needs a value" },
	{ "limits subflows 65", "subflows 65 is not in 0-64" },
	{ "limits flows 1", "expected limits subflows N add_addr_accepted N" },
	{ "", "expected endpoint or limits" },
	{ "pool", "expected endpoint or limits" },
};

static void describe(const struct pool *pool, char *text, size_t size)
{
	char addr[MPADDR_TEXT_MAX];

	*text = '\0';
	for (unsigned int i = 0; i < pool->n_endpoints; i++) {
		const struct endpoint *ep = &pool->endpoints[i];

		snprintf(text + strlen(text), size - strlen(text), "%s %u%s%s%s%s;",
			 mpaddr_text(&ep->addr, addr), ep->local_id,
			 ep->flags & MPTCP_PM_ADDR_FLAG_LAMINAR ? " laminar" : "",
			 ep->flags & MPTCP_PM_ADDR_FLAG_SIGNAL ? " signal" : "",
			 ep->flags & MPTCP_PM_ADDR_FLAG_FULLMESH ? " fullmesh" : "",
			 ep->flags & MPTCP_PM_ADDR_FLAG_BACKUP ? " backup" : "");
	}
}

Test(edit, words_change_the_pool_or_give_an_error)
{
	struct pool_error why;
	struct pool *pool;
	char words[128], text[1024];
	int r;

	for (unsigned int i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		pool = pool_from(POOL A "|" B " backup|");
		snprintf(words, sizeof(words), "%s", edits[i].words);
		why.text[0] = '\0';
		r = pool_edit(pool, pool, words, &why);
		describe(pool, text, sizeof(text));
		if (!edits[i].result)
			cr_assert(r == 0 && pool->subflows == 3 &&
				  pool->add_addr_accepted == 2);
		else if (r == 0)
			cr_assert_str_eq(text, edits[i].result, "%s: %s", edits[i].words,
					 text);
		else
			cr_assert(strstr(why.text, edits[i].result), "%s: %s",
				  edits[i].words, why.text);
		pool_free(pool);
	}
}
