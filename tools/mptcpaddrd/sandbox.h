/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - give up what is not needed, before anybody is listened to
 */
#pragma once

/*
 * sandbox_enter() - CAP_NET_ADMIN alone, no new privileges, no other system calls than
 * those of the list; a process that makes one is killed
 *
 * Return: 0; -errno with what failed in *@ret_what.
 */
int sandbox_enter(const char **ret_what);
