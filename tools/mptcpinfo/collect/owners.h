/* SPDX-License-Identifier: MIT */
/*
 * owners.h - which process holds a connection
 */
#pragma once

struct snapshot;

/*
 * owners_read() - fills pid and program
 *
 * @process is NULL or the PID or name of the only process of interest: then every
 * connection that it holds becomes its own, also one that another holds as well.
 * Return: 0 or -errno.
 */
int owners_read(struct snapshot *snap, const char *process);
