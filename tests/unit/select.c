// SPDX-License-Identifier: MIT
/*
 * select.c - which endpoint joins which address
 *
 * As in the kernel's own selftests, the server's addresses are 10.0.i.1, the client's
 * 10.0.i.2.
 */
#include "play.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void connected(struct play *p, const char *pool_text)
{
	play_open(p, pool_text);
	play_connect(p, TOKEN, "10.0.1.2", "10.0.1.1:80");
}

HISTORY(select, endpoints_are_tried_in_the_order_of_the_file,
	"[pool]|endpoint=10.0.4.2|endpoint=10.0.2.2|endpoint=10.0.3.2",
	"connect\n"
	"join 1 10.0.4.2 10.0.2.1:80\n"
	"join 2 10.0.2.2 10.0.3.1:80\n"
	"join 3 10.0.3.2 10.0.4.1:80\n")

HISTORY(select, third_announcement_takes_the_third_address_and_not_the_second, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"join 2 10.0.3.2 10.0.3.1:80\n")

HISTORY(select, address_of_a_closed_subflow_serves_again, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"join 2 10.0.3.2 10.0.3.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 >\n"
	"join 3 10.0.2.2 10.0.4.1:80\n")

HISTORY(select, address_of_the_first_subflow_is_never_taken, THREE,
	"connect 10.0.2.2 10.0.1.1:80\n"
	"join 1 10.0.1.2 10.0.2.1:80\n"
	"join 2 10.0.3.2 10.0.3.1:80\n"
	"announce 3 10.0.4.1:80 >\n")

HISTORY(select, address_of_the_first_subflow_serves_once_that_has_closed,
	"[pool]|endpoint=10.0.1.2",
	"connect\n"
	"announce 1 10.0.2.1:80 >\n"
	"ends 10.0.1.2:40001 10.0.1.1:80 > join 10.0.1.2-10.0.2.1:80;\n")

HISTORY(select, address_of_a_foreign_subflow_is_not_taken, THREE,
	"connect\n"
	"foreign 10.0.2.2:555 9 10.0.9.1:80\n"
	"join 1 10.0.3.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"ends 10.0.2.2:555 10.0.9.1:80 > join 10.0.2.2-10.0.3.1:80;\n")

HISTORY(select, pending_subflow_keeps_its_address, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n" /* not answered yet */
	"announce 2 10.0.3.1:80 > join 10.0.3.2-10.0.3.1:80;\n")

HISTORY(select, v4_socket_takes_v4_endpoints_for_v4_announcements_only,
	"[pool]|endpoint=2001:db8:2::2|endpoint=10.0.2.2",
	"connect\n"
	"announce 1 [2001:db8:2::1]:80 >\n"
	"join 2 10.0.2.2 10.0.2.1:80\n")

HISTORY(select, dual_stack_socket_takes_either_family_if_both_sides_agree,
	"[pool]|endpoint=10.0.2.2|endpoint=2001:db8:3::2|endpoint=10.0.4.2|"
	"[accept]|private=all|",
	"connect [2001:db8:1::2] [2001:db8:1::1]:80\n"
	"join 1 2001:db8:3::2 [2001:db8:3::1]:80\n"
	"join 2 10.0.2.2 10.0.2.1:80\n"
	"announce 3 [2001:db8:4::1]:80 >\n" /* 10.0.4.2 is free, but of the other family */)

HISTORY(select, mapped_v4_connection_counts_as_v4, THREE,
	"connect [::ffff:10.0.1.2] [::ffff:10.0.1.1]:80\n"
	"announce 1 [::ffff:10.0.1.1]:80 >\n" /* reached already */
	"join 2 10.0.2.2 10.0.2.1:80\n")

HISTORY(select, v6only_socket_takes_v6_only,
	"[pool]|endpoint=10.0.2.2|endpoint=2001:db8:3::2|",
	"connect [2001:db8:1::2] [2001:db8:1::1]:80 v6only\n"
	"announce 1 10.0.2.1:80 >\n"
	"join 2 2001:db8:3::2 [2001:db8:3::1]:80\n")

HISTORY(select, no_free_endpoint_means_no_syn_and_never_routings_choice,
	"[pool]|endpoint=10.0.2.2",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"view waiting 1\n"
	"counter add_addr_waiting 1\n")

HISTORY(select, waiting_announcement_is_served_when_an_endpoint_becomes_free,
	"[pool]|endpoint=10.0.2.2",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80\n"
	"announce 3 10.0.4.1:80 >\n"
	/* in the order of arrival */
	"down 10.0.2.2-10.0.2.1:80 ECONNRESET > join 10.0.2.2-10.0.3.1:80;\n"
	"up 10.0.2.2-10.0.3.1:80\n"
	"down 10.0.2.2-10.0.3.1:80 > join 10.0.2.2-10.0.4.1:80;\n")

HISTORY(select, pool_without_endpoints_leaves_the_address_to_routing,
	"[limits]|subflows=2|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 0.0.0.0/255-10.0.2.1:80;\n"
	"up\n"
	"announce 2 10.0.3.1:80 > join 0.0.0.0/255-10.0.3.1:80;\n"
	"refuse 0.0.0.0-10.0.3.1:80 ENETUNREACH >\n" /* nothing else to try */
	"announce 2 10.0.3.1:80 > join 0.0.0.0/255-10.0.3.1:80;\n")

HISTORY(select, announced_port_is_copied, THREE,
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:8443\n")

HISTORY(select, endpoint_gives_its_id_and_backup_flag,
	"[pool]|endpoint=10.0.2.2 id 77 backup|endpoint=10.0.3.2|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/77-10.0.2.1:80 backup;\n"
	"announce 2 10.0.3.1:80 > join 10.0.3.2/1-10.0.3.1:80;\n")

HISTORY(select, address_keeps_its_id_for_the_life_of_the_connection, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/2-10.0.2.1:80;\n"
	"up\n"
	"down 10.0.2.2-10.0.2.1:80\n"
	"foreign 10.0.7.2:7 9 10.0.7.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/2-10.0.2.1:80;\n")

HISTORY(select, id_of_a_foreign_subflows_address_is_not_used,
	"[pool]|endpoint=10.0.2.2 id 5|endpoint=10.0.3.2 id 6|",
	"connect\n"
	"foreign 10.0.7.2:7 5 10.0.7.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/1-10.0.2.1:80;\n"
	"up\n"
	"ends 10.0.7.2:7 10.0.7.1:80\n"
	"down 10.0.2.2-10.0.2.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/1-10.0.2.1:80;\n")

HISTORY(select, id_of_a_foreign_subflow_is_kept_for_its_address,
	"[pool]|endpoint=10.0.2.2 id 5|",
	"connect\n"
	"foreign 10.0.2.2:7 9 10.0.7.1:80\n"
	"ends 10.0.2.2:7 10.0.7.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/9-10.0.2.1:80;\n")

/* A refused create left no ID in the kernel: another program may have it. */
HISTORY(select, id_of_a_refused_create_is_given_up_to_a_foreign_subflow,
	"[pool]|endpoint=10.0.2.2 id 5|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/5-10.0.2.1:80;\n"
	"refuse 10.0.2.2-10.0.2.1:80 EADDRNOTAVAIL\n"
	"foreign 10.0.7.2:7 5 10.0.7.1:80\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/1-10.0.2.1:80;\n")

HISTORY(select, refused_create_is_tried_from_the_next_endpoint_at_once, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"refuse 10.0.2.2-10.0.2.1:80 EADDRNOTAVAIL > join 10.0.3.2-10.0.2.1:80;\n"
	"up\n"
	"view subflows 2\n"
	/* 10.0.2.2 failed for the other announcement only. */
	"join 2 10.0.2.2 10.0.3.1:80\n"
	"@2 connect\n"
	"@2 announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"@2 refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH > join 10.0.3.2-10.0.2.1:80;\n"
	"@3 connect\n"
	"@3 announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"@3 refuse 10.0.2.2-10.0.2.1:80 ENODEV > join 10.0.3.2-10.0.2.1:80;\n"
	"@4 connect\n"
	"@4 announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"@4 refuse 10.0.2.2-10.0.2.1:80 EHOSTUNREACH > join 10.0.3.2-10.0.2.1:80;\n")

HISTORY(select, refused_join_is_tried_from_the_next_free_endpoint, THREE,
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED > join 10.0.3.2-10.0.2.1:80;\n"
	"down 10.0.3.2-10.0.2.1:80 ETIMEDOUT >\n"
	"view waiting 1\n"
	"view subflows 1\n"
	"counter subflows_failed 2\n"
	"counter closed_error 0\n")

/* The last row of the selftests' table in KERNEL.md. */
HISTORY(select, endpoint_of_a_refused_join_serves_announcements_that_did_not_try_it,
	"[pool]|endpoint=10.0.2.2|endpoint=10.0.4.2|",
	"connect\n"
	"announce 1 10.0.3.1:80 > join 10.0.2.2-10.0.3.1:80;\n"
	"announce 2 10.0.4.1:80 > join 10.0.4.2-10.0.4.1:80;\n"
	"up 10.0.4.2-10.0.4.1:80\n"
	/* 10.0.4.2 is in use, 10.0.2.2 was tried */
	"down 10.0.2.2-10.0.3.1:80 ECONNREFUSED >\n"
	"down 10.0.4.2-10.0.4.1:80 > join 10.0.4.2-10.0.3.1:80;\n")

HISTORY(select, limit_of_subflows_counts_all_but_the_first, THREE "[limits]|subflows=2|",
	"connect\n"
	"foreign 10.0.7.2:7 9 10.0.7.1:80\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"counter add_addr_limited 1\n"
	"ends 10.0.7.2:7 10.0.7.1:80 > join 10.0.3.2-10.0.3.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 >\n")

HISTORY(select, limit_of_no_subflows_allows_none, THREE "[limits]|subflows=0|",
	"connect\n"
	"announce 1 10.0.2.1:80 >\n"
	"announce 0 10.0.1.1:8080 >\n")

HISTORY(select, limit_of_accepted_addresses_counts_those_joined_and_not_withdrawn,
	THREE "[limits]|add_addr_accepted=1|",
	"connect\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"announce 2 10.0.3.1:80 >\n"
	"down 10.0.2.2-10.0.2.1:80 >\n" /* accepted until withdrawn, as in the kernel */
	"remove 1 > join 10.0.2.2-10.0.3.1:80;\n")

HISTORY(select, address_with_id_0_does_not_count_as_accepted,
	THREE "[limits]|add_addr_accepted=1|",
	"connect\n"
	"join 0 10.0.2.2 10.0.1.1:8080\n"
	"join 1 10.0.3.2 10.0.2.1:80\n")

HISTORY(select, address_with_id_0_is_accepted_where_no_other_is,
	THREE "[limits]|add_addr_accepted=0|",
	"connect\n"
	"announce 1 10.0.2.1:80 >\n"
	"join 0 10.0.2.2 10.0.1.1:8080\n")

HISTORY(select, create_refused_everywhere_makes_room_below_the_accepted_limit,
	"[pool]|endpoint=10.0.2.2|[limits]|add_addr_accepted=1|",
	"connect\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2-10.0.2.1:80;\n"
	"announce 2 10.0.3.1:80 >\n"
	"refuse 10.0.2.2-10.0.2.1:80 EADDRNOTAVAIL > join 10.0.2.2-10.0.3.1:80;\n")

Test(select, all_endpoints_of_a_full_pool_serve_at_once)
{
	char text[4096] = "[limits]\nsubflows=64\nadd_addr_accepted=64\n[pool]\n";
	char local[32], remote[32], line[64];
	struct play p;
	int i;

	for (i = 0; i < POOL_ENDPOINTS_MAX; i++) {
		snprintf(line, sizeof(line), "endpoint=10.2.0.%d\n", i + 1);
		strcat(text, line);
	}
	connected(&p, text);
	for (i = 0; i < POOL_ENDPOINTS_MAX; i++) {
		snprintf(local, sizeof(local), "10.2.0.%d", i + 1);
		snprintf(remote, sizeof(remote), "10.3.0.%d:80", i + 1);
		cr_assert_eq(play_join(&p, i + 1, local, remote).local_id, i + 1);
	}
	cr_assert_eq(play_view(&p, TOKEN).subflows, POOL_ENDPOINTS_MAX + 1);
	play_close(&p);
}

HISTORY(select, subflow_endpoints_join_the_first_address_in_order,
	POOL A " subflow|" B " subflow backup|",
	"start > join 10.0.2.2/12-10.0.1.1:80;join 10.0.3.2/13-10.0.1.1:80 backup;\n"
	"time 2 >\n")

HISTORY(select, subflow_endpoints_respect_the_limit_and_continue_when_there_is_room,
	POOL A " subflow|" B " subflow|[limits]|subflows=1|",
	"start > join 10.0.2.2/12-10.0.1.1:80;\n"
	"up\n"
	"down 10.0.2.2-10.0.1.1:80 > join 10.0.3.2/13-10.0.1.1:80;\n")

HISTORY(select, subflow_endpoint_of_the_first_address_or_another_family_is_not_used,
	POOL "endpoint=10.0.1.2 subflow|endpoint=2001:db8::2 subflow|", "start >\n")

HISTORY(select, peer_that_forbids_it_is_not_joined_at_its_first_address,
	POOL A " subflow|" B " subflow fullmesh|",
	"connect 10.0.1.2 10.0.1.1:80 c_flag\n"
	"time 1 >\n"
	"announce 1 10.0.2.1:80 > join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(select, subflow_endpoints_serve_the_announcements_of_such_a_peer,
	POOL A " subflow|" B " subflow|[limits]|add_addr_accepted=0|",
	"connect 10.0.1.2 10.0.1.1:80 c_flag\n"
	"time 1 >\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;join "
	"10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(select, signal_endpoints_are_announced_once,
	POOL A
	" signal|endpoint=10.0.3.2 id 13 signal port 8443|endpoint=10.0.1.2 signal|",
	"start > announce 10.0.2.2/12;announce 10.0.3.2:8443/13;\n"
	"time 5 >\n"
	"counter add_addr_tx 2\n")

HISTORY(select, fullmesh_endpoints_come_before_laminar_ones_and_serve_all,
	POOL "endpoint=10.0.4.2|" A " fullmesh|" B " fullmesh backup|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;join "
	"10.0.3.2/13-10.0.2.1:80 backup;\n"
	"up\n"
	"announce 2 10.0.3.1:80 > join 10.0.2.2/12-10.0.3.1:80;join "
	"10.0.3.2/13-10.0.3.1:80 backup;\n")

HISTORY(select, fullmesh_endpoint_of_the_first_address_has_id_0,
	POOL "endpoint=10.0.1.2 id 5 fullmesh|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.1.2/0-10.0.2.1:80;\n")

HISTORY(select, fullmesh_keeps_to_the_limit,
	POOL A " fullmesh|" B " fullmesh|[limits]|subflows=1|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"up\n"
	"announce 2 10.0.3.1:80 >\n")

HISTORY(select, subflow_fullmesh_endpoint_joins_every_reached_address,
	POOL A " subflow fullmesh|",
	"connect\n"
	"foreign 10.0.7.2:7 9 10.0.7.1:80\n"
	"time 1 > join 10.0.2.2/12-10.0.1.1:80;join 10.0.2.2/12-10.0.7.1:80;\n")

HISTORY(select, subflow_and_laminar_endpoint_is_used_for_one,
	POOL A " subflow laminar|" B " subflow laminar|",
	"connect >\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;join "
	"10.0.3.2/13-10.0.1.1:80;\n"
	"time 5 >\n"
	"announce 2 10.0.3.1:80 >\n"
	"counter subflows_requested 2\n")

HISTORY(select, section_of_the_destination_is_used,
	POOL A "|[pool \"10.0.0.0/8\"]|" B
	       "|[pool \"10.0.1.0/24\"]|endpoint=10.0.4.2 id 4|[app]|exclude=10.0.9.0/24|"
	       "[accept]|private=all|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.4.2/4-10.0.2.1:80;\n"
	"@2 connect 10.0.1.2 10.7.1.1:80\n"
	"@2 announce 1 10.0.2.1:80 > join 10.0.3.2/13-10.0.2.1:80;\n"
	"@3 connect 10.0.1.2 192.0.2.1:80\n"
	"@3 announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"@4 connect 10.0.1.2 10.0.9.1:80\n"
	"@4 announce 1 10.0.2.1:80 >\n"
	/* No destination is excluded now. */
	"pool 0 " POOL A "|[accept]|private=all| > close 10.0.4.2/4-10.0.2.1:80;"
	"join 10.0.2.2/12-10.0.2.1:80;close 10.0.3.2/13-10.0.2.1:80;"
	"join 10.0.2.2/12-10.0.2.1:80;join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(select, routed_join_from_an_endpoint_has_its_id_and_flags,
	POOL "endpoint=10.0.4.2 id 44 signal backup|",
	"route 10.0.4.2:99\n"
	"connect\n"
	"announce 1 10.0.4.1:80 > join 10.0.4.2/44-10.0.4.1:80 backup;\n")

HISTORY(select, routed_join_from_the_first_address_has_id_0,
	POOL "endpoint=10.0.1.2 id 44 signal|endpoint=10.0.9.2 signal|",
	"route 10.0.1.2\n"
	"connect\n"
	"announce 1 10.0.4.1:80 > join 10.0.1.2/0-10.0.4.1:80;\n")

HISTORY(select, routed_join_from_no_endpoint_names_the_address_with_a_high_id,
	POOL "endpoint=10.0.4.2 id 44 signal|",
	"route 10.0.77.2\n"
	"connect\n"
	"announce 1 10.0.4.1:80 > join 10.0.77.2/253-10.0.4.1:80;\n"
	"route\n"
	"announce 2 10.0.5.1:80 > join 0.0.0.0/255-10.0.5.1:80;\n")

HISTORY(select, v6_connection_of_a_v4_pool_has_no_endpoint,
	POOL "endpoint=10.0.2.2 fullmesh|endpoint=10.0.3.2 subflow|[accept]|private=all|",
	"connect [2001:db8::2] [2001:db8::1]:80 v6only\n"
	"time 5 >\n"
	"announce 1 10.0.4.1:80 >\n"
	"reason family\n")

HISTORY(select, address_of_the_first_path_keeps_the_id_of_a_later_join,
	POOL "endpoint=10.0.1.2 id 11|",
	"start\n"
	"announce 1 10.0.2.1:80 >\n"
	"ends 10.0.1.2:40001 10.0.1.1:80 > join 10.0.1.2/11-10.0.2.1:80;\n"
	"up 10.0.1.2-10.0.2.1:80\n"
	"pool 0 " POOL "endpoint=10.0.1.2 id 11 fullmesh|\n"
	"announce 2 10.0.3.1:80 > join 10.0.1.2/11-10.0.3.1:80;\n")
