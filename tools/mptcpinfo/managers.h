/* SPDX-License-Identifier: MIT */
/*
 * managers.h - the managers of this namespace, and which connections they look after
 */
#ifndef MPTCPINFO_MANAGERS_H
#define MPTCPINFO_MANAGERS_H

struct snapshot;

/*
 * managers_read() - fills managers, and manager, pid and program of the connections
 * that they list
 *
 * Return: 0 or -errno. A manager that cannot be asked is a note, not an error.
 */
int managers_read(struct snapshot *snap);

#endif
