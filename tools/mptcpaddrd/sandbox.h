/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - give up unneeded rights before serving programs
 */
#pragma once

/*
 * sandbox_enter() - keep only CAP_NET_ADMIN and the listed system calls
 *
 * Any other system call kills the process.
 * Return: 0; -errno, and *@ret_what names the step that failed.
 */
int sandbox_enter(const char **ret_what);
