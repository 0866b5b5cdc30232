// SPDX-License-Identifier: MIT
/*
 * pool_change.c - pools that change while connections live
 */
#include "play.h"

#include <criterion/criterion.h>

HISTORY(pool_change, endpoint_taken_out_is_closed_and_withdrawn, POOL A "|" B "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	/* Another endpoint joins the address that it had joined. */
	"pool 0 " POOL B "| > withdraw 10.0.2.2:10012/12;close "
	"10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;\n")

/* The first one stays as the last path; the others are closed, and come back. */
HISTORY(pool_change, all_endpoints_taken_out_leave_one_path_and_serve_again,
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

/* Its subflow went on: as the last path, or because it was a moment only. */
HISTORY(pool_change, endpoint_that_is_there_again_has_its_subflow_again,
	POOL "endpoint=10.0.1.2 id 11|" A "|",
	"start\n"
	"pool 0 " POOL " >\n"
	"pool 0\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"view endpoints_used 3\n"
	"pool 0 " POOL A "|"
	" > withdraw 10.0.1.2:40001/0;close 10.0.1.2/0-10.0.1.1:80;\n")

HISTORY(pool_change, signal_endpoint_taken_out_is_withdrawn,
	POOL A " signal|" B " signal|",
	"start\n"
	"pool 0 " POOL B " signal|"
	" > withdraw 10.0.2.2/12;\n"
	"pool 0 " POOL A " signal|" B " signal|"
	" > announce 10.0.2.2/12;\n"
	"pool 0 " POOL A " laminar|" B " signal|"
	" > withdraw 10.0.2.2/12;\n" /* another kind */
	"counter rm_addr_tx 2\n")

HISTORY(pool_change, raised_limits_let_waiting_announcements_in,
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
