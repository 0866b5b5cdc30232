/* SPDX-License-Identifier: MIT */
/*
 * counters.h - what a path manager counts, of a connection and in all
 *
 * One list, so that engine, control socket, JSON and Prometheus have the same names in
 * the same order. The help text is Prometheus' and the manual page's.
 */
#pragma once

#include <stdint.h>

#define PM_COUNTERS(X)                                                                  \
	X(add_addr_received, "ADD_ADDRs received")                                      \
	X(add_addr_repeated,                                                            \
	  "ADD_ADDRs of an address that was known or reached already")                  \
	X(add_addr_joined, "ADD_ADDRs that led to an established subflow")              \
	X(add_addr_waiting, "ADD_ADDRs that found no free endpoint")                    \
	X(add_addr_filtered, "ADD_ADDRs refused by the [accept] filter")                \
	X(add_addr_limited, "ADD_ADDRs that met a limit")                               \
	X(rm_addr_received, "REMOVE_ADDRs received")                                    \
	X(announced, "addresses announced to the peer")                                 \
	X(withdrawn, "announced addresses withdrawn")                                   \
	X(subflows_requested, "subflows requested from the kernel")                     \
	X(subflows_refused, "requested subflows that the kernel refused")               \
	X(subflows_established, "requested subflows that were established")             \
	X(subflows_foreign, "subflows that somebody else established")                  \
	X(subflows_failed, "joins that failed with an error")                           \
	X(closed_error, "established subflows closed with an error")                    \
	X(closed_removed, "established subflows closed after REMOVE_ADDR")              \
	X(closed_local, "established subflows closed because their endpoint went away") \
	X(closed_other, "established subflows closed in peace")                         \
	X(exhausted, "times that every endpoint was in use")                            \
	X(retries, "joins tried again after a while")

struct pm_counters {
#define X(name, help) uint64_t name;
	PM_COUNTERS(X)
#undef X
};
