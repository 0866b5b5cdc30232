/* SPDX-License-Identifier: MIT */
/*
 * resync.h - bring an engine in line with the kernel after events were lost
 */
#ifndef MPTCPADDR_RESYNC_H
#define MPTCPADDR_RESYNC_H

struct engine;

/*
 * resync() - read all subflows of the namespace and give them to @engine
 *
 * engine_retry() is to follow. Return: 0; -errno, with nothing changed if the kernel
 * cannot tell.
 */
int resync(struct engine *engine);

#endif
