// SPDX-License-Identifier: MIT
/*
 * kinds.c - pools of every kind and pair of kinds behave as the kernel's endpoints
 *
 * Each pool runs twice, in the kernel and under the shim, through the same steps: the
 * client connects, one more address is announced, then withdrawn. Afterwards both hosts
 * must have the same subflows with IDs and backup flags, path-manager options on the
 * wire, and MPTcpExt counters.
 */
#include "outcome.h"

#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_ 96

struct kinds_case {
	char name[NAME_MAX_];
	uint32_t a, b; /* flags of the endpoints on link 2 and 3; b 0: none */
	int setting;   /* index into settings[] */
};

static const struct {
	const char *name;
	struct net_spec spec;
} settings[] = {
	{ "v4", { .announced = { { "10.0.2.1" }, { "10.0.3.1" } } } },
	{ "C flag",
	  { .no_join_id0 = true, .announced = { { "10.0.2.1" }, { "10.0.3.1" } } } },
	{ "C flag, nothing accepted",
	  { .no_join_id0 = true,
	    .no_accepted = true,
	    .announced = { { "10.0.2.1" }, { "10.0.3.1" } } } },
	{ "one of each",
	  { .subflows = 1, .accepted = 1, .announced = { { "10.0.2.1" } } } },
	{ "v6",
	  { .connect = "dead:beef:1::1",
	    .announced = { { "dead:beef:2::1" }, { "dead:beef:3::1" } } } },
	{ "not announced at first", { .connect = "10.0.1.1" } },
};

#define SETTINGS ((int)(sizeof(settings) / sizeof(settings[0])))

static const struct {
	uint32_t flags;
	const char *name;
} kinds[] = {
	{ EP_SUBFLOW, "subflow" },
	{ EP_LAMINAR, "laminar" },
	{ EP_FULLMESH, "fullmesh" },
	{ EP_SIGNAL, "signal" },
	{ EP_SUBFLOW | EP_LAMINAR, "subflow laminar" },
	{ EP_SUBFLOW | EP_FULLMESH, "subflow fullmesh" },
	{ EP_SUBFLOW | EP_SIGNAL, "subflow signal" },
	{ EP_LAMINAR | EP_FULLMESH, "laminar fullmesh" },
	{ EP_LAMINAR | EP_SIGNAL, "laminar signal" },
	{ EP_SUBFLOW | EP_BACKUP, "subflow backup" },
	{ EP_LAMINAR | EP_BACKUP, "laminar backup" },
	{ EP_FULLMESH | EP_BACKUP, "fullmesh backup" },
	{ EP_SIGNAL | EP_BACKUP, "signal backup" },
	{ EP_SUBFLOW | EP_LAMINAR | EP_FULLMESH, "subflow laminar fullmesh" },
};

#define KINDS	  ((int)(sizeof(kinds) / sizeof(kinds[0])))
#define PLAIN	  4 /* the first ones: one kind each */
#define CASES_MAX (SETTINGS * (KINDS + KINDS * PLAIN))

static void spec_of(const struct kinds_case *c, struct net_spec *ret)
{
	bool v6 = settings[c->setting].spec.connect &&
		  *settings[c->setting].spec.connect == 'd';

	*ret = settings[c->setting].spec;
	ret->no_retry = true;
	ret->announced_first = true;
	ret->pool[0] = (struct endpoint_spec){ .addr = v6 ? "dead:beef:2::2" : "10.0.2.2",
					       .flags = c->a,
					       .id = 5 };
	if (c->b)
		ret->pool[1] = (struct endpoint_spec){
			.addr = v6 ? "dead:beef:3::2" : "10.0.3.2", .flags = c->b, .id = 6
		};
}

static char *result(void *arg, enum net_side side)
{
	const struct net_spec *spec = arg;
	bool v6 = spec->connect && *spec->connect == 'd';
	char *first, *last, *both;
	struct net n;

	net_start(&n, spec, side);
	net_settle(&n);
	first = outcome_subflows(&n);
	net_announce(&n, v6 ? "dead:beef:4::1" : "10.0.4.1");
	net_settle(&n);
	/*
	 * Nothing may wait for the withdrawn address: only the pool retries
	 * announcements.
	 */
	net_withdraw(&n, v6 ? "dead:beef:4::1" : "10.0.4.1");
	net_settle(&n);
	net_carries_data(&n);
	last = outcome_text(&n);
	net_close(&n);
	if (asprintf(&both, "connected:\n%sat the end:\n%s", first, last) < 0)
		abort();
	free(first);
	free(last);
	return both;
}

ParameterizedTestParameters(kinds, pool_does_what_the_kernel_does)
{
	static struct kinds_case all[CASES_MAX];
	size_t n = 0;

	for (int s = 0; s < SETTINGS; s++) {
		for (int a = 0; a < KINDS; a++) {
			all[n] = (struct kinds_case){ .a = kinds[a].flags, .setting = s };
			snprintf(all[n++].name, NAME_MAX_, "%s: %s", settings[s].name,
				 kinds[a].name);
			for (int b = 0; b < PLAIN; b++) {
				all[n] = (struct kinds_case){ .a = kinds[a].flags,
							      .b = kinds[b].flags,
							      .setting = s };
				snprintf(all[n++].name, NAME_MAX_, "%s: %s + %s",
					 settings[s].name, kinds[a].name, kinds[b].name);
			}
		}
	}
	return cr_make_param_array(struct kinds_case, all, n);
}

ParameterizedTest(struct kinds_case *c, kinds, pool_does_what_the_kernel_does)
{
	struct net_spec spec;

	spec_of(c, &spec);
	net_compare(c->name, result, &spec);
}
