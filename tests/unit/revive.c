// SPDX-License-Identifier: MIT
/*
 * revive.c - links that go down and come back, new routes
 */
#include "play.h"

#include <criterion/criterion.h>

#define JOINED                          \
	"start\n"                       \
	"join 1 10.0.2.2 10.0.2.1:80\n" \
	"join 2 10.0.3.2 10.0.3.1:80\n" \
	"time 1000\n"
#define DOWN "links 1 > check 10.0.2.2/12-10.0.2.1:80;\n"
#define BACK                         \
	DOWN "health 0 100 4000 >\n" \
	     "links 0 > check 10.0.2.2/12-10.0.2.1:80;\n"
#define RENEWED "reset 10.0.2.2/12-10.0.2.1:80;join 10.0.2.2/12-10.0.2.1:80;\n"

HISTORY(revive, path_without_data_since_its_link_is_back_is_made_anew, POOL A "|" B "|",
	JOINED BACK "health 1 100 5000 >\n"
		    "time 1100 > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 1 100 6000 > " RENEWED "ends 10.0.2.2:10012 10.0.2.1:80 >\n"
		    "up 10.0.2.2-10.0.2.1:80 >\n"
		    "counter closed_local 1\n"
		    "wait none\n")

HISTORY(revive, path_with_data_stays, POOL A "|" B "|",
	JOINED BACK "health 1 100 5000 >\n"
		    "time 1100 > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 1 101 6000 >\n"
		    "wait none\n")

HISTORY(revive, path_of_an_idle_connection_stays, POOL A "|" B "|",
	JOINED BACK "health 1 100 5000 >\n"
		    "wait 100 100\n"
		    "time 1100 > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 1 100 5000 >\n"
		    "wait 200 200\n")

HISTORY(revive, path_whose_data_waits_is_made_anew, POOL A "|" B "|",
	JOINED BACK "health 1 100 5000 1 >\n"
		    "time 1100\n"
		    "health 1 100 5000 1 > " RENEWED)

HISTORY(revive, path_without_a_route_waits_for_one, POOL A "|" B "|",
	JOINED BACK "health 0 100 5000 >\n"
		    "wait none\n"
		    "rerouted > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 1 100 5000 >\n"
		    "time 1100\n"
		    "health 1 100 6000 > " RENEWED)

HISTORY(revive, path_whose_link_goes_down_again_waits, POOL A "|" B "|",
	JOINED BACK "health 1 100 5000 >\n" DOWN "health 0 100 5000 >\n"
		    "wait none\n")

HISTORY(revive, last_path_is_not_made_anew, POOL A "|",
	"connect 10.0.2.2 10.0.2.1:80\n"
	"links 1 > check 10.0.2.2/0-10.0.2.1:80;\n"
	"links 0 > check 10.0.2.2/0-10.0.2.1:80;\n"
	"health 1 100 5000 1 >\n"
	"time 100\n"
	"health 1 100 5000 1 >\n")

HISTORY(revive, one_of_two_lost_paths_is_made_anew_first, POOL A "|" B "|",
	JOINED "ends 10.0.1.2:40001 10.0.1.1:80\n"
	       "links 3 > check 10.0.2.2/12-10.0.2.1:80;check 10.0.3.2/13-10.0.3.1:80;\n"
	       "links 0 > check 10.0.2.2/12-10.0.2.1:80;check 10.0.3.2/13-10.0.3.1:80;\n")

HISTORY(revive, first_path_is_made_anew_with_id_0,
	POOL "endpoint=10.0.1.2 subflow|" A "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"links 1 > check 10.0.1.2/0-10.0.1.1:80;\n"
	"links 0 > check 10.0.1.2/0-10.0.1.1:80;\n"
	"health 1 100 5000 >\n"
	"time 101\n"
	"health 1 100 6000 > reset 10.0.1.2/0-10.0.1.1:80;join 10.0.1.2/0-10.0.1.1:80;\n")

HISTORY(revive, backup_path_without_data_stays, POOL A " backup|" B "|",
	JOINED "links 1 > check 10.0.2.2/12-10.0.2.1:80 backup;\n"
	       "links 0 > check 10.0.2.2/12-10.0.2.1:80 backup;\n"
	       "health 1 100 5000 >\n"
	       "time 1100\n"
	       "health 1 100 6000 >\n")

HISTORY(revive, path_whose_link_is_down_is_reset_when_its_sender_stalls, POOL A "|" B "|",
	JOINED DOWN "health 0 100 5000 1 >\n"
		    "wait 100 100\n"
		    "time 1100 > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 0 100 6000 1 >\n"
		    "time 1200 > check 10.0.2.2/12-10.0.2.1:80;\n"
		    "health 0 100 6000 1 > reset 10.0.2.2/12-10.0.2.1:80;\n"
		    "ends 10.0.2.2:10012 10.0.2.1:80 >\n"
		    "counter closed_local 1\n"
		    "wait none\n"
		    "links 0 > join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, path_whose_link_is_down_is_withdrawn_when_its_receiver_stalls,
	POOL A "|" B "|",
	JOINED DOWN "health 0 100 5000 0 0 20 >\n"
		    "time 1100\n"
		    "health 0 100 5000 0 0 1 > withdraw 10.0.2.2:10012/12;"
		    "reset 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, path_whose_link_is_down_is_withdrawn_when_its_receiver_goes_on_and_stalls,
	POOL A "|" B "|",
	JOINED DOWN "health 0 100 5000 0 0 20 >\n"
		    "time 1100\n"
		    "health 0 100 6000 0 0 1 >\n"
		    "time 1200\n"
		    "health 0 100 6000 0 0 90 > withdraw 10.0.2.2:10012/12;"
		    "reset 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, path_whose_link_goes_down_after_the_last_data_stays, POOL A "|" B "|",
	JOINED DOWN "health 0 100 5000 0 0 20 >\n"
		    "time 1100\n"
		    "health 0 100 5000 0 0 120 >\n"
		    "wait none\n")

HISTORY(revive, path_whose_link_is_down_stays_without_a_stall, POOL A "|" B "|",
	JOINED DOWN "health 0 100 5000 0 0 400 >\n"
		    "wait none\n")

HISTORY(revive, path_whose_link_is_down_stays_while_others_carry_the_data,
	POOL A "|" B "|",
	JOINED DOWN "health 0 100 4000 1 >\n"
		    "time 1100\nhealth 0 100 4001 1 >\n"
		    "time 1200\nhealth 0 100 4002 1 >\n"
		    "time 1300\nhealth 0 100 4003 1 >\n"
		    "time 1400\nhealth 0 100 4004 1 >\n"
		    "time 1500\nhealth 0 100 4005 1 >\n"
		    "time 1600\nhealth 0 100 4006 1 >\n"
		    "time 1700\nhealth 0 100 4007 1 >\n"
		    "time 1800\nhealth 0 100 4008 1 >\n"
		    "time 1900\nhealth 0 100 4009 1 >\n"
		    "time 2000\nhealth 0 100 4010 1 >\n"
		    "time 2100\nhealth 0 100 4011 1 >\n"
		    "time 2200\nhealth 0 100 4012 1 >\n"
		    "time 2300\nhealth 0 100 4013 1 >\n"
		    "time 2400\nhealth 0 100 4014 1 >\n"
		    "wait none\n"
		    "links 0 > check 10.0.2.2/12-10.0.2.1:80;\n")

/* A link that is just up may lose the first SYN. */
HISTORY(revive, join_over_a_link_that_is_back_is_sent_again_once, POOL A "|",
	"start\n"
	"join 1 10.0.2.2 10.0.2.1:80\n"
	"links 1 > check 10.0.2.2/12-10.0.2.1:80;\n"
	"health 0 100 5000 1 >\n"
	"time 101\n"
	"health 0 100 5000 1 > reset 10.0.2.2/12-10.0.2.1:80;\n"
	"ends 10.0.2.2:10012 10.0.2.1:80 >\n"
	"time 1000\n"
	"links 0 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"wait 150 150\n"
	"time 1150 > close 10.0.2.2/12-10.0.2.1:80;\n"
	"ends 10.0.2.2:20012 10.0.2.1 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"wait none\n")

HISTORY(revive, last_path_of_a_stalled_connection_stays, POOL A "|",
	"connect 10.0.2.2 10.0.2.1:80\n"
	"links 1 > check 10.0.2.2/0-10.0.2.1:80;\n"
	"health 0 100 5000 1 >\n"
	"time 100\n"
	"health 0 100 5000 1 >\n"
	"wait none\n")

HISTORY(revive, join_is_moved_from_a_link_that_goes_down, POOL A "|" B "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"links 1 > close 10.0.2.2/12-10.0.2.1:80;join 10.0.3.2/13-10.0.2.1:80;\n")

HISTORY(revive, join_that_failed_for_want_of_a_route_is_tried_with_a_new_one, POOL A "|",
	"start\n"
	"announce 1 10.0.2.1:80\n"
	"refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH >\n"
	"rerouted > join 10.0.2.2-10.0.2.1:80;\n"
	"refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH >\n"
	"rerouted > join 10.0.2.2-10.0.2.1:80;\n")

HISTORY(revive, join_is_not_tried_with_new_routes_of_the_other_family, POOL A "|",
	"start\n"
	"time 2000\n"
	"announce 1 10.0.2.1:80\n"
	"refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH >\n"
	"rerouted 6 >\n"
	"rerouted 4 > join 10.0.2.2-10.0.2.1:80;\n"
	"time 2300\n"
	"rerouted 6 >\n" /* nor is one without an answer sent again */
	"rerouted 4 > close 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, refused_join_is_tried_with_new_routes_but_not_with_each, POOL A "|",
	"start\n"
	"time 2000\n"
	"announce 1 10.0.2.1:80\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED >\n"
	"rerouted > join 10.0.2.2-10.0.2.1:80;\n"
	"down 10.0.2.2-10.0.2.1:80 ECONNREFUSED >\n"
	"rerouted >\n")

HISTORY(revive, join_without_an_answer_is_sent_again_over_a_new_route, POOL A "|",
	"start\n"
	"time 2000\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"time 2500\n"
	"rerouted > close 10.0.2.2/12-10.0.2.1:80;\n"
	"ends 10.0.2.2:10012 10.0.2.1 > join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, join_of_a_subflow_endpoint_is_sent_again_over_a_new_route,
	POOL A " subflow|",
	"connect\n"
	"time 1 > join 10.0.2.2/12-10.0.1.1:80;\n"
	"time 2500\n"
	"rerouted > close 10.0.2.2/12-10.0.1.1:80;\n"
	"time 2510 >\n"
	"ends 10.0.2.2:10012 10.0.1.1 > join 10.0.2.2/12-10.0.1.1:80;\n")

HISTORY(revive, young_join_has_time_for_an_answer_after_a_new_route, POOL A "|",
	"start\n"
	"time 2000\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"time 2100\n"
	"rerouted >\n"
	"wait 50 50\n"
	"time 2150 > close 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, join_without_an_answer_yields_its_endpoint_to_a_waiting_address,
	POOL A "|",
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n"
	"wait none\n"
	"announce 2 10.0.3.1:80 >\n"
	"wait 3000 3000\n"
	"time 3001 > close 10.0.2.2/12-10.0.2.1:80;\n"
	"ends 10.0.2.2:10012 10.0.2.1 > join 10.0.2.2/12-10.0.3.1:80;\n"
	"up 10.0.2.2-10.0.3.1:80 >\n"
	"time 9000 >\n"
	"ends 10.0.2.2:10012 10.0.3.1:80 > join 10.0.2.2/12-10.0.2.1:80;\n")

HISTORY(revive, join_from_the_address_of_routing_has_no_timer_after_new_routes, POOL,
	"route 10.0.2.2\n"
	"start\n"
	"announce 1 10.0.2.1:80 > join 10.0.2.2/253-10.0.2.1:80;\n"
	"rerouted\n"
	"time 2000 >\n"
	"wait none\n")
