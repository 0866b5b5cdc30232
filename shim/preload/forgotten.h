/* SPDX-License-Identifier: MIT */
/*
 * forgotten.h - values of options that were ignored: the program may read them back
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* forgotten_add() - what getsockopt() on @fd must return. Changes errno. */
void forgotten_add(int fd, int level, int name, const void *value, socklen_t len);

/* forgotten_may_have() - cheap: false if no such option was ever added. */
bool forgotten_may_have(int name);

/* forgotten_get() - like getsockopt(). Return: false if nothing is known. Changes errno.
 */
bool forgotten_get(int fd, int level, int name, void *value, socklen_t *len);
