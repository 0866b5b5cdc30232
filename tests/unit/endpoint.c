// SPDX-License-Identifier: MIT
/*
 * endpoint.c - endpoints parsed and printed again
 */
#include "shim/pool/endpoint.h"
#include "play.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(endpoint, words_are_printed_as_they_are_read)
{
	static const struct {
		const char *words, *printed; /* NULL: the same */
	} cases[] = {
		{ "10.0.2.1 laminar", NULL },
		{ "10.0.2.1 dev eth1 laminar backup", NULL },
		{ "2001:db8::1 id 7 subflow laminar", NULL },
		{ "dev wwan0 laminar", NULL },
		{ "10.0.4.1 id 255 port 8443 signal", NULL },
		{ "10.0.4.1 subflow fullmesh", NULL },
		{ "10.0.4.1 signal subflow backup", NULL },
		{ "10.0.2.1", "10.0.2.1 laminar" },
		{ "10.0.2.1 address", "10.0.2.1 laminar" },
	};
	char words[ENDPOINT_TEXT_MAX], text[ENDPOINT_TEXT_MAX];
	struct pool_error why;
	struct endpoint ep;

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(words, cases[i].words);
		cr_assert_eq(endpoint_parse(words, &ep, &why), 0, "%s", why.text);
		cr_assert_str_eq(endpoint_format(&ep, text),
				 cases[i].printed ?: cases[i].words);
	}
}

Test(endpoint, added_endpoint_meets_an_id_without_a_line)
{
	struct pool *pool = pool_from("[pool]\nendpoint=10.0.2.1 id 3\n");
	struct endpoint ep = { .addr = at("10.0.3.1"), .local_id = 3 };
	struct pool_error why;

	pool->endpoints[0].line = 0; /* added while running */
	cr_assert_eq(endpoint_append(pool, &ep, &why), -EINVAL);
	cr_assert_str_eq(why.text, "duplicate local id 3");
	ep.section = 1;
	pool->n_sections = 2;
	cr_assert_eq(endpoint_append(pool, &ep, &why), 0);
	pool_free(pool);
}
