/* SPDX-License-Identifier: MIT */
/*
 * secure.h - whether the kernel will start a program in secure mode (AT_SECURE)
 */
#ifndef MPTCPADDR_SECURE_H
#define MPTCPADDR_SECURE_H

/*
 * secure_reason() - why the file @path, started by us, would ignore LD_PRELOAD
 *
 * Return: "setuid", "setgid", "started with file capabilities"..., or NULL: it will not.
 */
const char *secure_reason(const char *path);

#endif
