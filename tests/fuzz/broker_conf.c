// SPDX-License-Identifier: MIT
/*
 * broker_conf.c - broker.conf
 */
#include "fuzz.h"
#include "tools/mptcpaddrd/policy.h"

#include <sys/mman.h>
#include <unistd.h>

static int file = -1;
static char path[32];

static void check_policy(const struct policy *policy)
{
	static const char *const ips[] = { "10.0.2.1", "2001:db8::1" };
	struct mpaddr addr;

	fuzz_check(policy->users.n <= POLICY_IDS_MAX &&
			   policy->groups.n <= POLICY_IDS_MAX &&
			   policy->n_devices <= POLICY_DEVICES_MAX &&
			   policy->n_programs <= POLICY_PROGRAMS_MAX,
		   "a list is too long");
	fuzz_check(policy_admits(policy, 0, NULL, 0), "root is not admitted");
	for (unsigned int i = 0; i < 2; i++) {
		mpaddr_parse(ips[i], &addr);
		policy_address(policy, &addr, "eth1");
	}
	for (unsigned int i = 0; i < policy->n_programs; i++)
		fuzz_check(policy->programs[i].pool[0] == '/' &&
				   policy->programs[i].name[0],
			   "a program without a pool");
}

FUZZ_TARGET(data, size)
{
	struct pool_error why = { "" };
	struct policy policy;

	if (file < 0) {
		file = memfd_create("broker.conf", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (ftruncate(file, 0) || pwrite(file, data, size, 0) != (ssize_t)size)
		return -1;
	policy_default(&policy);
	if (policy_load(path, true, &policy, &why) == 0)
		check_policy(&policy);
	else
		fuzz_check(!strncmp(why.text, path, strlen(path)), "no place: %s",
			   why.text);
	return 0;
}
