// SPDX-License-Identifier: MIT
/*
 * probe.c - paths that carry nothing while their link is up
 *
 * The first path, 10.0.1.2, is no endpoint: only 10.0.2.2 is checked. Checks come
 * together, 1 ms before a multiple of 1.024 s.
 */
#include "play.h"

#include <criterion/criterion.h>

#define CHECK "check 10.0.2.2/12-10.0.2.1:80;"
#define PROBE "join 10.0.2.2/12-10.0.2.1:80;"
#define END   "close 10.0.2.2/12-10.0.2.1:80;"
#define RENEW "reset 10.0.2.2/12-10.0.2.1:80;"

#define JOINED                          \
	"watch\n"                       \
	"start\n"                       \
	"join 1 10.0.2.2 10.0.2.1:80\n" \
	"time 1000 > " CHECK "\n"       \
	"health 1 100 500000 >\n"

/* Data flows over the other path. */
#define SILENT                           \
	JOINED "wait 2071 2071\n"        \
	       "time 3071 > " CHECK "\n" \
	       "health 1 100 600000 >\n" \
	       "time 6143 > " CHECK "\n" \
	       "health 1 100 700000 > " PROBE "\n"

HISTORY(probe, silent_path_is_made_anew_once_a_probe_is_answered, POOL A "|",
	SILENT "view endpoints_silent 0\n"
	       "wait 1500 1500\n"
	       "time 7643 > " END "\n"
	       "view endpoints_silent 1\n"
	       "view silent_s 6\n"
	       "counter paths_silent 1\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET > \n"
	       "time 7644 > " PROBE "\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " RENEW "\n"
	       "ends 10.0.2.2:10012 10.0.2.1:80 >\n"
	       "counter paths_renewed 1\n"
	       "counter probes 2\n"
	       "counter closed_local 1\n"
	       "view endpoints_silent 0\n"
	       "view subflows 2\n")

HISTORY(probe, path_with_nothing_to_do_stays, POOL A "|",
	SILENT "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " END "\n"
	       "ends 10.0.2.2:20012 10.0.2.1:80 >\n"
	       "counter paths_silent 0\n"
	       "counter paths_renewed 0\n"
	       "counter closed_other 0\n"
	       "view subflows 2\n"
	       "time 8191 > " CHECK "\n"
	       "health 1 100 800000 >\n"
	       "time 11263 > " CHECK "\n"
	       "health 1 100 900000 >\n"
	       "view endpoints_silent 0\n")

/* Its handshake alone counts as one byte. */
HISTORY(probe, path_that_never_carried_data_is_not_probed, POOL A "|",
	"watch\nstart\njoin 1 10.0.2.2 10.0.2.1:80\n"
	"time 1000\nhealth 1 1 100000 >\n"
	"time 3071\nhealth 1 1 200000 >\n"
	"time 6143\nhealth 1 1 300000 >\n"
	"time 8191\nhealth 1 1 400000 >\n"
	"counter probes 0\n")

/* What is sent on it would be repeated. */
HISTORY(probe, path_that_has_no_data_of_ours_to_send_is_not_probed, POOL A "|",
	JOINED "time 3071\nhealth 1 100 600000 0 0 3000 >\n"
	       "time 6143\nhealth 1 100 700000 0 0 6000 >\n"
	       "time 8191\nhealth 1 100 800000 0 0 8000 >\n"
	       "counter probes 0\n")

HISTORY(probe, path_that_the_peer_does_not_need_is_not_probed, POOL A "|",
	JOINED "time 3071\nhealth 1 100 510000 >\n"
	       "time 6143\nhealth 1 100 520000 >\n"
	       "time 8191\nhealth 1 100 530000 >\n"
	       "counter probes 0\n")

HISTORY(probe, path_that_carries_data_again_stays, POOL A "|",
	SILENT "time 7643 > " END "\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "time 7644 > " PROBE "\n"
	       "time 8143 >\n"
	       "time 8191 > " CHECK "\n"
	       "health 1 101 800000 > " END "\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "view endpoints_silent 0\n")

HISTORY(probe, path_whose_retransmissions_have_no_answer_is_made_anew, POOL A "|",
	JOINED "time 3071 > " CHECK "\n"
	       "health 1 100 500000 0 2 > " PROBE "\n"
	       "counter paths_silent 1\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " RENEW "\n")

HISTORY(probe, idle_connection_is_checked_ever_more_rarely, POOL A "|",
	JOINED "time 3071 > " CHECK "\n"
	       "health 1 100 500000 >\n"
	       "wait 2048 3072\n"
	       "time 6143\n"
	       "health 1 100 500000 >\n"
	       "wait 4000 5200\n"
	       "time 10239\n"
	       "health 1 100 500000 >\n"
	       "wait 8000 9200\n"
	       "time 19455\n"
	       "health 1 100 600000 >\n"
	       "wait 2000 3072\n")

HISTORY(probe, only_path_is_not_checked, POOL A "|", "watch\nstart\nwait none\n")

/* Another program joined from elsewhere. */
HISTORY(probe, path_without_an_endpoint_is_not_checked, POOL A "|",
	"watch\nstart\nforeign 10.0.9.2:20009 9 10.0.2.1:80\nwait none\n")

HISTORY(probe, probes_become_rarer, POOL A "|",
	SILENT "time 7643 > " END "\n"
	       "time 257000\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "time 257001 > " PROBE "\n"
	       "time 260999 > " CHECK "\n"
	       "time 261001 > " END "\n")

HISTORY(probe, probe_takes_the_place_of_a_path_that_ends, POOL A "|",
	SILENT "down 10.0.2.2-10.0.2.1:80 ETIMEDOUT >\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 >\n"
	       "view subflows 2\n"
	       "counter subflows_established 2\n")

HISTORY(probe, probe_of_a_path_that_the_peer_closes_ends, POOL A "|",
	SILENT "ends 10.0.2.2:10012 10.0.2.1:80 > " END "\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "view subflows 1\n"
	       "wait none\n")

HISTORY(probe, probe_that_the_peer_resets_changes_nothing, POOL A "|",
	SILENT "ends 10.0.2.2:20000 10.0.2.1:80 ECONNREFUSED >\n"
	       "view subflows 2\n"
	       "time 7643 > " PROBE "\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " END "\n")

#define RENEWED                                              \
	SILENT "time 7643 > " END "\n"                       \
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n" \
	       "time 7644\n"                                 \
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " RENEW "\n"

/* It still counts the path that has been reset. */
HISTORY(probe, peer_at_its_limit_gets_the_join_again, POOL A "|",
	RENEWED "ends 10.0.2.2:10012 10.0.2.1:80 >\n"
		"ends 10.0.2.2:20012 10.0.2.1:80 ECONNRESET prohibited >\n"
		"time 7700 >\n"
		"time 9000 > " PROBE "\n")

/* Linux reports neither error nor reason, perhaps before the end of the path. */
HISTORY(probe, peer_at_its_limit_gets_refused_joins_again_until_it_takes_one, POOL A "|",
	RENEWED "ends 10.0.2.2:20012 10.0.2.1:80 >\n"
		"ends 10.0.2.2:10012 10.0.2.1:80 >\n"
		"view waiting 1\n"
		"time 9000 > " PROBE "\n"
		"up 10.0.2.2-10.0.2.1:80 >\n"
		"ends 10.0.2.2:10012 10.0.2.1:80 >\n"
		"time 10500 >\n"
		"time 11300 > " PROBE "\n"
		"up 10.0.2.2-10.0.2.1:80 >\n"
		"view subflows 2\n")

HISTORY(probe, probe_that_was_answered_while_it_was_being_ended_is_repeated, POOL A "|",
	SILENT "time 7643 > " END "\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " END "\n"
	       "counter paths_renewed 0\n"
	       "ends 10.0.2.2:20012 10.0.2.1:80 >\n"
	       "time 7644 > " PROBE "\n"
	       "foreign 10.0.2.2:20013 12 10.0.2.1:80 > " RENEW "\n")

HISTORY(probe, link_that_goes_down_ends_its_probe, POOL A "|",
	SILENT "links 1 > " END "check 10.0.2.2/12-10.0.2.1:80;\n"
	       "ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "view endpoints_silent 0\n")

HISTORY(probe, refused_probe_is_tried_again, POOL A "|",
	SILENT "refuse 10.0.2.2-10.0.2.1:80 ENETUNREACH >\n"
	       "time 7643 > " PROBE "\n"
	       "foreign 10.0.2.2:20012 12 10.0.2.1:80 > " RENEW "\n")

HISTORY(probe, retries_off_are_probes_off, POOL A "|[retry]|tries=0|",
	"watch\nstart\njoin 1 10.0.2.2 10.0.2.1:80\nwait none\n")

/* Both are silent, and checked one after the other. */
HISTORY(probe, one_probe_serves_all_connections_of_an_endpoint, POOL A "|",
	JOINED "@2 connect 10.0.1.2 10.0.1.1:80\n"
	       "@2 announce 1 10.0.2.1:80 > " PROBE "\n"
	       "@2 foreign 10.0.2.2:30012 12 10.0.2.1:80\n"
	       "time 1001 > " CHECK "\n"
	       "@2 health 1 0 0 0 2 > " PROBE "\n"
	       "time 2501 > " END "\n"
	       "@2 ends 10.0.2.2:20000 10.0.2.1 ECONNRESET >\n"
	       "time 2600 > " PROBE "\n"
	       "time 3071 > " CHECK CHECK "\n"
	       "health 1 100 500000 0 2 >\n"
	       "@2 foreign 10.0.2.2:20012 12 10.0.2.1:80 > " RENEW "\n"
	       "time 3072 > " PROBE "\n")
