// SPDX-License-Identifier: MIT
/*
 * threads.c - the manager's thread does not stand in the way of a program with one thread
 */
#include "preload.h"

SAME_IN_BOTH_MODES(threads, unshare_of_a_user_namespace, MPTCP, "spaces", "unshare",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(threads, setns_to_a_user_namespace, MPTCP, "spaces", "setns",
		   LAB_ADDRESS, LAB_PORT)
SAME_IN_BOTH_MODES(threads, setns_of_any_type, MPTCP, "spaces", "setns-any", LAB_ADDRESS,
		   LAB_PORT)
