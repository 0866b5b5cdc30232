/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - give up unneeded rights before serving programs
 */
#pragma once

/*
 * sandbox_enter() - CAP_NET_ADMIN alone, no new privileges, no other system calls than
 * those of the list; a process that makes one is killed
 *
 * Return: 0; -errno, and *@ret_what names the step that failed.
 */
int sandbox_enter(const char **ret_what);
