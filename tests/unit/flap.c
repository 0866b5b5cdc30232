// SPDX-License-Identifier: MIT
/*
 * flap.c - endpoints that come and go often are used again later and later
 */
#include "play.h"

#include <criterion/criterion.h>

#define FLAP   "links 1 >\nlinks 0 >\n"
#define THRICE FLAP FLAP FLAP
#define JOIN   "join 10.0.2.2/12-10.0.2.1:80;"

HISTORY(flap, endpoint_that_came_and_went_thrice_is_used_at_once, POOL A "|",
	"start\n" THRICE "announce 1 10.0.2.1:80 > " JOIN "\n")

HISTORY(flap, endpoint_that_came_and_went_more_often_waits, POOL A "|",
	"start\n" THRICE FLAP "announce 1 10.0.2.1:80 >\n"
	"reason flapping\n"
	"wait 125 125\n"
	"time 126 > " JOIN "\n"
	"up 10.0.2.2-10.0.2.1:80 >\n"
	"wait none\n")

HISTORY(flap, wait_doubles_each_time_up_to_the_longest_retry_delay, POOL A "|",
	"start\n" THRICE FLAP "wait 125 125\n" FLAP "wait 250 250\n" FLAP
	"wait 500 500\n" THRICE FLAP "wait 8000 8000\n" THRICE THRICE
	"wait 60000 60000\n")

HISTORY(flap, endpoint_that_has_been_well_for_long_is_forgiven, POOL A "|",
	"start\n" THRICE FLAP "time 60126 >\n" FLAP "announce 1 10.0.2.1:80 > " JOIN "\n")

HISTORY(flap, endpoint_that_has_not_been_well_for_long_is_not, POOL A "|",
	"start\n" THRICE FLAP "time 60000 >\n" FLAP "announce 1 10.0.2.1:80 >\n"
	"wait 250 250\n")

HISTORY(flap, other_endpoints_do_not_wait, POOL A "|" B "|",
	"start\n" THRICE FLAP "announce 1 10.0.2.1:80 > join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(flap, subflow_endpoint_waits_too, POOL A " subflow|",
	THRICE FLAP "connect >\n"
		    "time 124 >\n"
		    "time 125 > join 10.0.2.2/12-10.0.1.1:80;\n")

HISTORY(flap, path_of_a_link_that_flaps_is_checked_later, POOL A "|" B "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"links 1\nlinks 0\nlinks 1\nlinks 0\nlinks 1\nlinks 0\n"
	"links 1\n"
	"links 0 >\n"
	"time 126 > check 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(flap, endpoint_waits_never_without_retries, POOL A "|[retry]|tries=0|",
	"start\n" THRICE THRICE "announce 1 10.0.2.1:80 > " JOIN "\n")

HISTORY(flap, changes_of_the_pool_are_no_flaps, POOL A "|",
	"start\n"
	"pool 0 [pool]|\npool 0\npool 0 [pool]|\npool 0\npool 0 [pool]|\npool 0\n"
	"pool 0 [pool]|\npool 0\npool 0 [pool]|\npool 0\n"
	"announce 1 10.0.2.1:80 > " JOIN "\n")
