/* SPDX-License-Identifier: MIT */
/*
 * swap.h - put a plain TCP socket in the place of an MPTCP socket
 */
#pragma once

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define SWAP_LEVELS 4
#define SWAP_NAMES  128

/* A bit for each option that the program has ever set: only those need copying. */
extern _Atomic uint64_t swap_options[SWAP_LEVELS][SWAP_NAMES / 64];

/* swap_note() - the program has set this option on some socket. */
static inline void swap_note(int level, unsigned int name)
{
	const uint64_t bit = UINT64_C(1) << (name % 64);
	_Atomic uint64_t *word;

	if (name >= SWAP_NAMES || (level != SOL_SOCKET && level != IPPROTO_IP &&
				   level != IPPROTO_TCP && level != IPPROTO_IPV6))
		return;
	word = &swap_options[level == SOL_SOCKET    ? 0
			     : level == IPPROTO_IP  ? 1
			     : level == IPPROTO_TCP ? 2
						    : 3][name / 64];
	if (!(atomic_load_explicit(word, memory_order_relaxed) & bit))
		atomic_fetch_or(word, bit);
}

/*
 * swap_sockets() - give @plain, a new TCP socket, the number and all that @fd has
 *
 * Except option @level, @name. @fd is neither bound nor connected. The caller closes
 * @plain. Return: false, with @fd unchanged, if something would be lost: another
 * descriptor or an epoll has the socket, or that cannot be known. Changes errno.
 */
bool swap_sockets(int fd, int plain, int level, int name);

/*
 * swap_count_references() - how many descriptors in @path, /proc/.../fd, refer to the
 * socket, or to an epoll that has it
 *
 * Return: a large number: unknown. Changes errno.
 */
int swap_count_references(int fd, const char *path);

/*
 * swap_copy() - another MPTCP socket with the options and status flags of @fd, unbound
 *
 * Return: -1: none, or something would be lost by a swap. Changes errno.
 */
int swap_copy(int fd);

/* swap_replace() - give @fd's number to @other, too. Return: success. Changes errno. */
bool swap_replace(int fd, int other);
