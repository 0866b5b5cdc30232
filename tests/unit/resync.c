// SPDX-License-Identifier: MIT
/*
 * resync.c - engines of forked children, and engines that lost events
 */
#include "play.h"

#include <criterion/criterion.h>

HISTORY(resync, inherited_connection_is_not_managed_before_the_takeover, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"inherit\n"
	"shown 0\n"
	"announce 2 10.0.3.1:80 >\n"
	"take_over > join 10.0.3.2-10.0.3.1:80;\n" /* 10.0.2.2 is still in use */
	"shown 1\n")

HISTORY(resync, address_that_the_parent_joined_meanwhile_is_not_joined_again, THREE,
	"connect\n"
	"inherit\n"
	"announce 1 10.0.2.1:80 >\n"
	"foreign 10.0.2.2:55 2 10.0.2.1:80\n"
	"take_over >\n"
	"announce 2 10.0.3.1:80 > join 10.0.3.2-10.0.3.1:80;\n")

HISTORY(resync, child_manages_its_own_connections_meanwhile, THREE,
	"connect\n"
	"inherit\n"
	"@2 connect\n"
	"@2 announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"shown 1\n"
	"take_over\n") /* for play_close() to see all */

HISTORY(resync, grandchild_waits_for_the_grandparents_connections_only, THREE,
	"connect\n"
	"inherit\n"
	"@2 connect\n"
	"@3 register\n"
	"conns 3\n"
	"inherit\n" /* the child forks while it waits */
	"conns 1\n"
	"@4 register\n"
	"take_over\n"
	"view established 1\n"
	"expire 1 1\n")

HISTORY(resync, lost_end_of_a_subflow_frees_its_endpoint, "[pool]|endpoint=10.0.2.2|",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"remove 1\n"
	"resync_begin\n"
	"has 10.0.1.2:1 10.0.1.1:80 first\n"
	"resync_end > join 10.0.2.2-10.0.3.1:80;\n"
	"view subflows 2\n")

HISTORY(resync, subflow_that_is_there_is_kept_after_lost_events, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"resync_begin\n"
	"has 10.0.1.2:1 10.0.1.1:80 first\n"
	"has 10.0.2.2:1 10.0.2.1:80\n"
	"resync_end >\n"
	"join 2 10.0.3.2 10.0.3.1:80\n")

HISTORY(resync, connection_whose_end_was_lost_is_dropped, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"resync_begin\n"
	"resync_end\n"
	"conns 0\n"
	"used_ids 0\n")

HISTORY(resync, pool_change_waits_for_the_takeover_of_inherited_connections,
	POOL A "|" B " signal|",
	"start\n"
	"inherit\n"
	"announce 1 10.0.2.1:80 >\n"
	"pool 0 " POOL A "| >\n"
	"wait none\n"
	"take_over > withdraw 10.0.3.2/13;join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(resync, lost_handshake_is_resynchronised,
	POOL "endpoint=10.0.1.2 backup|endpoint=10.0.2.2 subflow|",
	"register\n"
	"resync_begin\n"
	"connecting 10.0.1.2:7 10.0.1.1:80 first\n"
	"view established 0\n"
	"has 10.0.1.2:7 10.0.1.1:80 first\n"
	"@99 unknown\n"
	"resync_end > flags 10.0.1.2/0-10.0.1.1:80 backup;"
	"join 10.0.2.2/2-10.0.1.1:80;\n"
	"down 10.0.2.2-10.0.1.1:80 ETIMEDOUT\n" /* its timer runs */
	"resync_begin\n"
	"has 10.0.1.2:7 10.0.1.1:80 first backup\n"
	"resync_end >\n"
	"time 6 >\n"
	"time 3000 > join 10.0.2.2-10.0.1.1:80;\n")

HISTORY(resync, unconfirmed_connections_are_inherited_too, POOL "endpoint=10.0.2.2|",
	"@3 register\n"
	"inherit\n"
	"shown 0\n"
	"conns 1\n"
	"expire 1 1\n")

HISTORY(resync, joined_address_counts_as_announced_after_lost_events,
	POOL A "|" B "|[limits]|add_addr_accepted=1|",
	"connect\n"
	"resync_begin\n"
	"has 10.0.1.2:1 10.0.1.1:80 first\n"
	"has 10.0.2.2:7 10.0.2.1:80 5\n"
	"has 10.0.9.2:7 10.0.2.1:80 5\n" /* once */
	"resync_end >\n"
	"view announced 1\n"
	"announce 6 10.0.3.1:80 >\n"
	"counter add_addr_limited 1\n"
	"remove 5 > join 10.0.3.2/13-10.0.3.1:80;\n")
