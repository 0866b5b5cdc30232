// SPDX-License-Identifier: MIT
/*
 * reconcile.c - endpoints that go down and come up, changed flags
 */
#include "play.h"

#include <criterion/criterion.h>

HISTORY(reconcile, changed_backup_flag_is_sent_once, POOL A "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"pool 0 " POOL A " laminar backup|"
	" > flags 10.0.2.2/12-10.0.2.1:80 backup;\n"
	"pool 0 " POOL A " laminar backup|"
	" >\n"
	"pool 0 " POOL A "|"
	" > flags 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(reconcile, backup_endpoint_of_the_first_address_makes_that_backup,
	POOL "endpoint=10.0.1.2 backup|",
	"connect > flags 10.0.1.2/0-10.0.1.1:80 backup;\n")

HISTORY(reconcile, lost_address_moves_its_subflow_and_serves_again_when_it_is_back,
	POOL A "|" B "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"pool 1 > withdraw 10.0.2.2:10012/12;"
	"reset 10.0.2.2/12-10.0.2.1:80;"
	"join 10.0.3.2/13-10.0.2.1:80;\n"
	"up\n"
	"announce 2 10.0.3.1:80 >\n"
	"pool 0 > join 10.0.2.2/12-10.0.3.1:80;\n")

HISTORY(reconcile, announced_address_of_the_last_path_is_withdrawn_when_there_is_another,
	POOL A " subflow signal|" B " subflow|",
	"start > announce 10.0.2.2/12;"
	"join 10.0.2.2/12-10.0.1.1:80;"
	"join 10.0.3.2/13-10.0.1.1:80;\n"
	"up 10.0.2.2-10.0.1.1:80\n"
	"ends 10.0.1.2:40001 10.0.1.1:80\n"
	"pool 1 " POOL A " subflow signal|" B " subflow|"
	" >\n"
	"foreign 10.0.3.2:3000 13 10.0.1.1:80 > withdraw 10.0.2.2:10012/12;"
	"reset 10.0.2.2/12-10.0.1.1:80;"
	"withdraw 10.0.2.2/12;\n")

HISTORY(reconcile, join_whose_address_went_away_counts_until_its_syn_has_ended,
	POOL A "|" B "|[limits]|subflows=1|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2/12-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNRESET > join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(reconcile, last_path_is_left_alone, POOL "endpoint=10.0.1.2|",
	"start\n"
	"pool 1 >\n"
	"pool 0 >\n")

HISTORY(reconcile, lost_first_path_is_made_again_when_its_address_is_back,
	POOL "endpoint=10.0.1.2 id 11|" A "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"pool 1 > withdraw 10.0.1.2:40001/0;reset 10.0.1.2/0-10.0.1.1:80;\n"
	"ends 10.0.1.2:40001 10.0.1.1:80 >\n"
	"pool 0 > join 10.0.1.2/11-10.0.1.1:80;\n")

HISTORY(reconcile, join_from_an_address_that_goes_meanwhile_is_closed_when_it_comes_up,
	POOL A "|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;\n"
	"up\n"
	"up 10.0.2.2-10.0.2.1:80 > withdraw 10.0.2.2:10012/12;close "
	"10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(reconcile, join_from_an_address_that_is_back_in_time_is_kept, POOL A "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2-10.0.2.1:80;\n"
	"pool 0 >\n"
	"up 10.0.2.2-10.0.2.1:80 >\n"
	"view subflows 2\n")

HISTORY(reconcile, join_from_an_address_that_went_and_fails_is_forgotten,
	POOL A "|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT >\n")

HISTORY(reconcile, waiting_pair_of_an_endpoint_that_goes_is_forgotten_until_it_is_back,
	POOL A " subflow|" B "|",
	"start > join 10.0.2.2/12-10.0.1.1:80;\n"
	"down 10.0.2.2-10.0.1.1:80 ETIMEDOUT\n"
	"wait some\n"
	"pool 1 >\n"
	"wait none\n"
	"pool 0 > join 10.0.2.2/12-10.0.1.1:80;\n")

HISTORY(reconcile, fullmesh_endpoint_that_is_back_joins_every_address_again,
	POOL A " fullmesh|" B " fullmesh|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"up\n"
	"announce 2 10.0.3.1:80\n"
	"up\n"
	"pool 1 > withdraw 10.0.2.2:10012/12;reset 10.0.2.2/12-10.0.2.1:80;reset "
	"10.0.2.2/12-10.0.3.1:80;\n"
	"ends 10.0.2.2:10012 10.0.2.1:80\n"
	"ends 10.0.2.2:10012 10.0.3.1:80\n"
	"pool 0 > join 10.0.2.2/12-10.0.2.1:80;join 10.0.2.2/12-10.0.3.1:80;\n")

HISTORY(reconcile, signal_endpoint_that_is_down_is_withdrawn_and_announced_again,
	POOL A " signal|" B "|",
	"start > announce 10.0.2.2/12;\n"
	"pool 1 > withdraw 10.0.2.2/12;\n"
	"pool 0 > announce 10.0.2.2/12;\n")

HISTORY(reconcile, address_that_went_during_its_join_and_is_not_needed_any_more_is_closed,
	POOL "endpoint=10.0.2.2|endpoint=10.0.3.2|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/1-10.0.2.1:80;\n"
	"pool 1\n"
	"up 10.0.3.2/2-10.0.2.1:80\n"
	"pool 0\n" /* back, but the address is reached from elsewhere */
	"up 10.0.2.2-10.0.2.1:80 > withdraw 10.0.2.2:10001/1;close "
	"10.0.2.2/1-10.0.2.1:80;\n")

HISTORY(reconcile, old_kernel_is_told_of_backup_afterwards,
	POOL "endpoint=10.0.2.2 backup|endpoint=10.0.3.2|",
	"old_kernel\n"
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/1-10.0.2.1:80 backup;\n"
	"up 10.0.2.2-10.0.2.1:80 > flags 10.0.2.2/1-10.0.2.1:80 backup;\n"
	"join 2 10.0.3.2 10.0.3.1:80\n")

HISTORY(reconcile, withdrawal_spares_an_id_that_another_subflow_needs,
	POOL A " fullmesh|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"up 10.0.2.2-10.0.3.1:80\n"
	"pool 1 > close 10.0.2.2/12-10.0.2.1:80;withdraw 10.0.2.2:10012/12;"
	"reset 10.0.2.2/12-10.0.3.1:80;join "
	"10.0.3.2/13-10.0.2.1:80;\n"
	"ends 10.0.2.2:10012 10.0.3.1:80\n"
	"up 10.0.3.2-10.0.2.1:80\n"
	"pool 0 > join 10.0.2.2-10.0.3.1:80;\n"
	"up 10.0.2.2-10.0.3.1:80\n"
	"up 10.0.2.2-10.0.2.1:80 > close 10.0.2.2-10.0.2.1:80;\n")

HISTORY(reconcile, laminar_endpoint_joins_what_the_last_fullmesh_endpoint_leaves,
	POOL A " fullmesh|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2-10.0.2.1:80;join 10.0.3.2-10.0.2.1:80;\n")

HISTORY(reconcile, laminar_endpoint_replaces_the_failed_path_of_a_removed_fullmesh_one,
	POOL A " fullmesh|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"up\n"
	"ends 10.0.1.2:40001 10.0.1.1:80\n"
	"pool 0 " POOL B "| >\n" /* the last path stays */
	"down 10.0.2.2/12-10.0.2.1:80 ETIMEDOUT > join 10.0.3.2-10.0.2.1:80;\n")

HISTORY(reconcile, subflow_endpoint_that_is_back_has_one_join_if_it_is_laminar,
	POOL "endpoint=10.0.2.2 subflow laminar|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"pool 1 > close 10.0.2.2-10.0.2.1:80;\n"
	"pool 0 >\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT > join 10.0.2.2-10.0.2.1:80;\n")

/* A last path that is down stays; once it has failed, the next path takes its retry. */
HISTORY(reconcile, dropped_retry_leaves_its_address_to_laminar_endpoints,
	POOL A " fullmesh|" B "|endpoint=10.0.4.2|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"up\n"
	"ends 10.0.1.2:40001 10.0.1.1:80\n"
	"pool 1 >\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT >\n"
	"announce 2 10.0.3.1:80 > join 10.0.3.2-10.0.3.1:80;\n"
	"up\n"
	"wait 0 0\n"
	"time 1 > join 10.0.4.2-10.0.2.1:80;\n")

HISTORY(reconcile, address_announced_again_while_its_old_join_ends_is_not_withdrawn,
	POOL A "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"remove 1\n"
	"pool 1 > close 10.0.2.2/12-10.0.2.1:80;\n"
	"announce 1 10.0.2.1:80 >\n"
	"pool 0\n"
	"up 10.0.2.2-10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 ETIMEDOUT\n"
	"view waiting 1\n")

HISTORY(reconcile, join_that_ends_late_hides_no_address_from_other_endpoints,
	POOL A " fullmesh|" B "|",
	"start\n"
	"pool 1\n"
	"announce 1 10.0.2.1:80 > join 10.0.3.2-10.0.2.1:80;\n"
	"pool 3 > close 10.0.3.2/13-10.0.2.1:80;\n"
	"pool 2 > join 10.0.2.2-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED\n"
	"pool 1 " POOL B "| >\n"
	"down 10.0.3.2-10.0.2.1:80 ETIMEDOUT >\n"
	"pool 0 " POOL B "| > join 10.0.3.2-10.0.2.1:80;\n")

HISTORY(reconcile, address_no_longer_announced_keeps_its_path, POOL A " signal laminar|",
	"start > announce 10.0.2.2/12;\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"up\n"
	"pool 0 " POOL A "| >\n"
	"ends 10.0.2.2:10012 10.0.2.1:80\n"
	"pool 0 " POOL A "| > withdraw 10.0.2.2/12;\n")

HISTORY(reconcile, address_no_longer_announced_keeps_its_path_while_its_link_is_down,
	POOL A " signal laminar|",
	"start > announce 10.0.2.2/12;\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"up\n"
	"pool 0 " POOL A "| >\n"
	"links 1 > check 10.0.2.2-10.0.2.1:80;\n")
