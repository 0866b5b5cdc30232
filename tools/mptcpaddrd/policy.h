/* SPDX-License-Identifier: MIT */
/*
 * policy.h - /etc/mptcpaddr/broker.conf: what the administrator lets users do
 */
#pragma once

#include "mptcpaddr/pool.h"

#include <sys/types.h>

#define POLICY_FILE	    "/etc/mptcpaddr/broker.conf"
#define POLICY_POOLS	    "/etc/mptcpaddr/" /* NAME.conf, default.conf */
#define POLICY_IDS_MAX	    256
#define POLICY_DEVICES_MAX  32
#define POLICY_PROGRAMS_MAX 64

enum program_kind {
	PROGRAM_UID,
	PROGRAM_CGROUP,
	PROGRAM_UNIT,
};

/* [program "uid:1000"]: connections without the preload library. */
struct policy_program {
	enum program_kind kind;
	uid_t uid;
	char name[256]; /* uid:USER, the path of a cgroup, a unit */
	char pool[1024];
	unsigned int line;
};

struct id_list {
	unsigned int n;
	unsigned int v[POLICY_IDS_MAX];
};

struct policy {
	bool userspace; /* set net.mptcp.path_manager */
	bool adopt;
	bool rearm; /* end the kernel's blackhole state */
	enum log_level log;
	bool restricted; /* to `users` and `groups` */
	struct id_list users, groups;
	bool pools;	       /* users may have their own */
	unsigned int subflows; /* additional ones, of a connection */
	unsigned int user_subflows, user_connections, user_rate;
	struct prefix_list addresses; /* none: any */
	unsigned int n_devices;	      /* 0: any */
	unsigned int devices_line;
	char devices[POLICY_DEVICES_MAX][IFNAMSIZ];
	unsigned int n_programs;
	struct policy_program programs[POLICY_PROGRAMS_MAX];
};

void policy_default(struct policy *ret_policy);

/*
 * policy_load() - read the file; a missing one gives the defaults, unless @needed
 *
 * Names of users and groups are looked up in /etc/passwd and /etc/group only.
 * Return: 0; -errno with @why filled ("broker.conf:3: ...") and *@ret_policy unchanged.
 */
int policy_load(const char *path, bool needed, struct policy *ret_policy,
		struct pool_error *why);

/*
 * policy_check() - report every error of the file as "FILE:LINE: error"
 *
 * @ret_policy: from the valid lines. Return: the number of errors.
 */
int policy_check(const char *path, struct policy *ret_policy, pool_report_fn report,
		 void *user);

bool policy_admits(const struct policy *policy, uid_t uid, const gid_t *gids,
		   unsigned int n_gids);

/* policy_address() - whether users may use @addr of @dev ("": unknown). */
bool policy_address(const struct policy *policy, const struct mpaddr *addr,
		    const char *dev);
