/* SPDX-License-Identifier: MIT */
/*
 * own.h - MPTCP sockets that the program made itself: it expects MPTCP's options
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* own_add() - the program has made the MPTCP socket @fd itself. Keeps errno. */
void own_add(int fd);

/* own_has() - @fd is such a socket, or accepted from one. Changes errno. */
bool own_has(int fd);

/* own_cookie() - a number that no other socket gets. Changes errno. */
uint64_t own_cookie(int fd);
