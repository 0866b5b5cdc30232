/* SPDX-License-Identifier: MIT */
/*
 * download.h - a real curl that downloads over three paths from a real web server
 *
 * The client has a pool of all its addresses, the server's kernel announces its second
 * and third one: 10.0.1.2-10.0.1.1, 10.0.2.2-10.0.2.1 and 10.0.3.2-10.0.3.1 come up.
 */
#pragma once

#include <limits.h>

#include "info.h"
#include "shim.h"

#define PATHS	 3
#define RMEM_MAX 4194304 /* the client's net.ipv4.tcp_rmem: the most in flight */

struct download {
	struct world w;
	struct proc nginx;
	struct proc curl;
	char dir[64];
	char pool[80];
	char file[80]; /* that curl writes */
	struct shim_env shim;
	const char *argv[24]; /* of a curl, NULL-terminated */
};

void download_open(struct download *d);
void download_close(struct download *d);

/* A curl under the library, in the background. */
void download_start(struct download *d);
/* Wait for its end. Return: bytes that it received, headers included. */
long long download_wait(struct download *d);
/* The same from the output of a curl that ran as @d->argv. */
long long download_size(const char *output);

/* How many paths are established. */
size_t download_paths(const struct download *d);
