// SPDX-License-Identifier: MIT
/*
 * policy.c - broker.conf: every error with its line, and every key
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/mptcpaddrd/policy.h"

static int load(const char *text, struct policy *policy, struct pool_error *why)
{
	char path[64];
	FILE *f;
	int r;

	snprintf(path, sizeof(path), "/tmp/broker-%d.conf", getpid());
	f = fopen(path, "we");
	cr_assert(f, "%s", path);
	cr_expect(fputs(text, f) >= 0);
	cr_expect_eq(fclose(f), 0);
	r = policy_load(path, true, policy, why);
	unlink(path);
	return r;
}

Test(policy, each_error_names_its_line)
{
	static const struct {
		const char *text, *line, *message;
	} faults[] = {
		{ "[broker]\nadopt = perhaps\n",
		  ":2:", "adopt is \"perhaps\", not yes or no" },
		{ "[broker]\npath_manager = mine\n", ":2:", "not userspace or keep" },
		{ "[broker]\nlog = loud\n", ":2:", "not error, warning, info or debug" },
		{ "[broker]\nadapt = yes\n", ":2:", "unknown key \"adapt\" in [broker]" },
		{ "[brokers]\na = b\n", ":1:", "unknown section [brokers]" },
		{ "\n\n[users]\nusers = no-such-user\n",
		  ":4:", "no user \"no-such-user\"" },
		{ "[users]\ngroups = no-such-group\n",
		  ":2:", "no group \"no-such-group\"" },
		{ "[users]\naddresses = 10.0.0.0/33\n",
		  ":2:", "is not an address prefix" },
		{ "[users]\ndevices = much-too-long-a-name\n", ":2:", "is too long" },
		{ "[users]\nsubflows = 65\n", ":2:", "subflows 65 is not in 0-64" },
		{ "[program \"uid:1000\"]\n[broker]\n",
		  ":1:", "without \"pool = FILE\"" },
		{ "[program \"pid:1\"]\npool = /x\n",
		  ":1:", "is not uid:, cgroup: or unit:" },
		{ "[program \"cgroup:x\"]\npool = /x\n", ":1:", "does not begin with /" },
		{ "[program \"uid:1000\"]\npool = x\n",
		  ":2:", "is not an absolute path" },
		{ "[program uid]\npool = /x\n", ":1:", "not [program \"NAME\"]" },
		{ "[users]\nnonsense\n", ":2:", "neither" },
		{ "adopt = yes\n",
		  ":1:", "\"adopt\" must come after a [section] header" },
		{ "[program \"unit:nginx\"]\npool = /x\n",
		  ":1:", "unit \"nginx\" has no type: nginx.service?" },
		{ "[users]\nusers =\n", ":2:", "users is empty" },
		{ "[users]\n\naddresses = ,\n", ":3:", "addresses is empty" },
	};
	struct pool_error why;
	struct policy policy;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		why.text[0] = '\0';
		cr_expect_eq(load(faults[i].text, &policy, &why), -EINVAL, "%s",
			     faults[i].text);
		cr_expect(strstr(why.text, faults[i].line) &&
				  strstr(why.text, faults[i].message),
			  "\"%s\" gives \"%s\"", faults[i].text, why.text);
	}
}

/* A partly read file must not admit more than the whole file would. */
Test(policy, a_file_read_in_part_is_an_error)
{
	static char text[20100] = "[users]\n";
	struct policy before, policy;
	struct pool_error why;

	policy_default(&before);
	policy = before;
	memset(text + strlen(text), '\n', 10000);
	strcat(text, "pools = no\n");
	cr_expect_eq(load(text, &policy, &why), -EINVAL);
	cr_expect(strstr(why.text, ":10001: more than 10000 lines"), "%s", why.text);
	cr_expect_eq(policy_load("/tmp", false, &policy, &why), -EINVAL);
	cr_expect_str_eq(why.text, "/tmp: not a regular file");
	cr_expect_eq(policy.pools, before.pools);
	cr_expect_eq(policy.restricted, before.restricted);
}

Test(policy, every_key_is_applied)
{
	const gid_t groups[] = { 7, 4242 };
	struct pool_error why = { "" };
	struct mpaddr in, out;
	struct policy policy;

	cr_assert_eq(load("[broker]\nadopt = yes\npath_manager = userspace\n"
			  "[users]\nusers = 1000, root\ngroups = 4242\npools = no\n"
			  "addresses = 10.0.0.0/8\ndevices = eth1 eth2\n"
			  "subflows = 3\nsubflows_per_user = 100\n"
			  "[program \"cgroup:/system.slice/a-rather-long-name-of-a-unit"
			  ".service\"]\npool = /etc/mptcpaddr/x.conf\n",
			  &policy, &why),
		     0, "%s", why.text);
	cr_expect(policy.adopt && policy.userspace && !policy.pools);
	cr_expect_eq(policy.subflows, 3);
	cr_expect_eq(policy.user_subflows, 100);
	cr_expect_eq(policy.n_programs, 1);
	cr_expect_str_eq(policy.programs[0].name,
			 "/system.slice/a-rather-long-name-of-a-unit.service");
	cr_expect(policy_admits(&policy, 1000, NULL, 0));
	cr_expect(policy_admits(&policy, 1001, groups, 2));
	cr_expect_not(policy_admits(&policy, 1001, groups, 1));
	mpaddr_parse("10.1.1.1", &in);
	mpaddr_parse("192.0.2.1", &out);
	cr_expect(policy_address(&policy, &in, "eth1"));
	cr_expect_not(policy_address(&policy, &in, "eth3"));
	cr_expect_not(policy_address(&policy, &in, ""));
	cr_expect_not(policy_address(&policy, &out, "eth1"));
}

Test(policy, without_a_file_all_users_may_have_pools)
{
	struct pool_error why;
	struct policy policy;

	cr_assert_eq(policy_load("/no/such/file", false, &policy, &why), 0);
	cr_expect_eq(policy_load("/no/such/file", true, &policy, &why), -ENOENT);
	cr_expect_str_eq(why.text, "/no/such/file: No such file or directory");
	cr_expect(policy_admits(&policy, 12345, NULL, 0));
	cr_expect(policy.pools && !policy.adopt && !policy.userspace);
}
