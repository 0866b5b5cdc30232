// SPDX-License-Identifier: MIT
/*
 * pool_change.c - pools that change while connections live
 */
#include "play.h"

#include <criterion/criterion.h>

HISTORY(pool_change, removed_endpoint_is_closed_and_withdrawn, POOL A "|" B "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	/* Another endpoint joins its remote address. */
	"pool 0 " POOL B "| > withdraw 10.0.2.2:10012/12;close "
	"10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;\n")

/* The first path stays; the others are closed, and joined again. */
HISTORY(pool_change, removal_of_all_endpoints_leaves_one_path_until_they_are_back,
	POOL "endpoint=10.0.1.2 id 11|" A "|" B "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"join 2 10.0.3.2 10.0.3.1:80\n"
	"pool 0 " POOL
	" > withdraw 10.0.2.2:10012/12;close 10.0.2.2/12-10.0.2.1:80;withdraw "
	"10.0.3.2:10013/13;close 10.0.3.2/13-10.0.3.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80\n"
	"down 10.0.3.2-10.0.3.1:80 >\n"
	"pool 0 > join 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.3.1:80;\n")

/* Its subflow stayed as the last path. */
HISTORY(pool_change, endpoint_that_is_back_has_its_subflow_again,
	POOL "endpoint=10.0.1.2 id 11|" A "|",
	"start\n"
	"pool 0 " POOL " >\n"
	"pool 0\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"view endpoints_used 3\n"
	"pool 0 " POOL A "|"
	" > withdraw 10.0.1.2:40001/0;close 10.0.1.2/0-10.0.1.1:80;\n")

HISTORY(pool_change, removed_signal_endpoint_is_withdrawn, POOL A " signal|" B " signal|",
	"start\n"
	"pool 0 " POOL B " signal|"
	" > withdraw 10.0.2.2/12;\n"
	"pool 0 " POOL A " signal|" B " signal|"
	" > announce 10.0.2.2/12;\n"
	"pool 0 " POOL A " laminar|" B " signal|"
	" > withdraw 10.0.2.2/12;\n" /* another kind */
	"counter rm_addr_tx 2\n")

HISTORY(pool_change, raised_limits_admit_waiting_announcements,
	POOL A "|" B "|[limits]|add_addr_accepted=1|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"pool 0 " POOL A "|" B "|[limits]|add_addr_accepted=2|"
	" > join 10.0.3.2/13-10.0.3.1:80;\n")

HISTORY(pool_change, address_that_left_the_pool_keeps_its_id,
	POOL "endpoint=10.0.4.2 id 44 signal|endpoint=10.0.5.2 signal|",
	"route 10.0.4.2\n"
	"connect\n"
	"pool 0 " POOL "endpoint=10.0.5.2 signal|\n"
	"announce 1 10.0.4.1:80 > join 10.0.4.2/44-10.0.4.1:80;\n")

HISTORY(pool_change, endpoint_that_becomes_fullmesh_joins_every_announced_address,
	POOL A " subflow|" B "|",
	"start > join 10.0.2.2/12-10.0.1.1:80;\n"
	"up\n"
	"join 1 10.0.3.2 10.0.2.1:80\n"
	"pool 0 " POOL A " subflow fullmesh|" B "| > join 10.0.2.2/12-10.0.2.1:80;\n"
	"up 10.0.2.2-10.0.2.1:80 >\n"
	"announce 2 10.0.3.1:80 > join 10.0.2.2/12-10.0.3.1:80;\n")

HISTORY(pool_change, endpoint_no_longer_fullmesh_keeps_its_path_to_the_first_address,
	POOL A " subflow fullmesh|" B " subflow fullmesh|",
	"start > join 10.0.2.2/12-10.0.1.1:80;join 10.0.3.2/13-10.0.1.1:80;\n"
	"up 10.0.2.2-10.0.1.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;join "
	"10.0.3.2/13-10.0.2.1:80;\n"
	"up 10.0.2.2-10.0.2.1:80\n"
	"up 10.0.3.2-10.0.2.1:80\n"
	"pool 0 " POOL A " subflow|" B " subflow fullmesh|"
	" > close 10.0.2.2/12-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 >\n"
	"announce 2 10.0.3.1:80 > join 10.0.3.2/13-10.0.3.1:80;\n")

HISTORY(pool_change, endpoint_that_is_laminar_instead_of_fullmesh_keeps_one_path,
	POOL A " laminar fullmesh|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"up 10.0.2.2-10.0.2.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"up 10.0.2.2-10.0.3.1:80\n"
	"pool 0 " POOL A "|" B "|"
	" > close 10.0.2.2/12-10.0.3.1:80;join 10.0.3.2/13-10.0.3.1:80;\n")

HISTORY(pool_change, path_whose_link_is_down_is_not_the_last_path_of_a_mesh,
	POOL A " subflow fullmesh|" B " subflow fullmesh|",
	"start\n"
	"up 10.0.2.2-10.0.1.1:80\n"
	"announce 1 10.0.2.1:80\n"
	"up 10.0.2.2-10.0.2.1:80\n"
	"up 10.0.3.2-10.0.2.1:80\n"
	"ends 10.0.1.2:40001 10.0.1.1:80\n"
	"links 1\n"
	"links 1 " POOL A " subflow|" B " subflow| > "
	"check 10.0.2.2/12-10.0.1.1:80;check 10.0.2.2/12-10.0.2.1:80;\n")

#define DENY_PEER "[accept]|deny=10.0.1.0/24|"

/* As for ADD_ADDRs that come later. */
HISTORY(pool_change, filter_holds_for_other_ports_of_the_peer,
	POOL A "|[limits]|add_addr_accepted=0|",
	"start\n"
	"announce 1 10.0.1.1:8443 >\n"
	"view waiting 1\n"
	"pool 0 " POOL A "|" DENY_PEER " >\n"
	"view waiting 0\n"
	"announce 2 10.0.1.1:8444 >\n"
	"counter add_addr_filtered 1\n"
	"pool 0 " POOL A "| > join 10.0.2.2-10.0.1.1:8443;\n")

/* The program has chosen it. */
HISTORY(pool_change, filter_does_not_hold_for_the_peers_first_address,
	POOL "endpoint=10.0.1.2 id 11|" A "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"pool 1 > withdraw 10.0.1.2:40001/0;reset 10.0.1.2/0-10.0.1.1:80;\n"
	"ends 10.0.1.2:40001 10.0.1.1:80 >\n"
	"pool 0 " POOL "endpoint=10.0.1.2 id 11|" A "|" DENY_PEER
	" > join 10.0.1.2/11-10.0.1.1:80;\n")

HISTORY(pool_change, laminar_endpoint_joins_what_it_left_as_a_fullmesh_one,
	POOL A " fullmesh|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"pool 1\n"
	"down 10.0.2.2-10.0.2.1:80\n"
	"pool 1 " POOL A "|"
	" >\n"
	"pool 0 " POOL A "|"
	" > join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(pool_change, failed_pair_of_a_fullmesh_endpoint_waits_no_more_as_a_laminar_one,
	POOL A " fullmesh|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED\n"
	"pool 0 " POOL B "|" A "|"
	" > join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(pool_change, pending_pair_of_a_fullmesh_endpoint_fails_as_that_of_a_laminar_one,
	POOL A " fullmesh|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"pool 0 " POOL A "|" B "|"
	" >\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED > join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(pool_change, path_over_a_working_link_stays_when_all_endpoints_leave,
	POOL "endpoint=10.0.1.2 id 11|" B "|",
	"start\n"
	"join 1 10.0.3.2 10.0.2.1:80\n"
	"links 1\n"
	"pool 0 " POOL " > withdraw 10.0.1.2:40001/0;close 10.0.1.2/0-10.0.1.1:80;\n")
