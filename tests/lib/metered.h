/* SPDX-License-Identifier: MIT */
/*
 * metered.h - files of [policy] quota
 */
#pragma once

/* metered_mount() - an empty /var/lib, in a mount namespace of the test. Return: 0;
 * -errno. */
int metered_mount(void);

/* metered_write() - @bytes of this day and month, by paths of @uid; or another @date. */
int metered_write(unsigned int uid, unsigned int date, const char *bytes);

/* The sum of the month in the file @path; -1: there is none. */
long long metered_read(const char *path);
