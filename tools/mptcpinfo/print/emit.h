/* SPDX-License-Identifier: MIT */
/*
 * emit.h - standard output, of views that go on and on
 */
#pragma once

#include <stddef.h>

/*
 * emit() - all of it, past stdio: nothing stays in a buffer
 *
 * Return: 0; -EPIPE when nobody reads any more, -EINTR if a signal to end came while
 * the reader was slow, or another -errno.
 */
int emit(const char *text, size_t len);

/*
 * emit_status() - how a view ends after emit() gave @r, which is said
 *
 * A reader that has seen enough is no failure. Return: mptcpinfo's exit status.
 */
int emit_status(int r);
