/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - checks of pool files, for doctor and status
 */
#pragma once

#include "checks.h"
#include "shim/netlink/request.h"

struct pool_files {
	struct findings findings;
	struct rtnl_table machine;
	struct devices devices; /* of their endpoints */
	unsigned int on, off;	/* mptcp = yes, no */
	char off_path[256];	/* one of the latter */
	char laminar_path[256]; /* one with no other endpoints; "": none */
	bool has_subflow;	/* any of them */
	bool is_bad;		/* the file that is being checked */
	char *bad_lines;	/* their errors, for the caller to free; NULL: none */
};

/*
 * check_pools() - those that programs may find
 *
 * Return: whether there is any pool file.
 */
bool check_pools(struct pool_files *files);
