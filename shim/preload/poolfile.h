/* SPDX-License-Identifier: MIT */
/*
 * poolfile.h - which pool file is this program's
 */
#ifndef MPTCPADDR_POOLFILE_H
#define MPTCPADDR_POOLFILE_H

#include <limits.h>

/*
 * poolfile_open() - open the first file of the look-up order (DESIGN.md, 5)
 *
 * @path receives its path, absolute or as MPTCPADDR_CONFIG gives it. A file that is
 * named by MPTCPADDR_CONFIG is the only candidate.
 *
 * Return: a close-on-exec descriptor; -errno of the last candidate, -ENOENT mostly.
 */
int poolfile_open(char path[PATH_MAX]);

/* poolfile_program() - program_invocation_short_name, never NULL. */
const char *poolfile_program(void);

#endif
