/* SPDX-License-Identifier: MIT */
/*
 * ends.h - the two ends of a socket, as a sock_diag answer has them
 */
#pragma once

#include <linux/inet_diag.h>

struct inet_addr;

void end_local(const struct inet_diag_msg *msg, struct inet_addr *ret_addr);
void end_remote(const struct inet_diag_msg *msg, struct inet_addr *ret_addr);
