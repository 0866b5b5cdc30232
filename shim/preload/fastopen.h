/* SPDX-License-Identifier: MIT */
/*
 * fastopen.h - MSG_FASTOPEN where the kernel has it for TCP, but not for MPTCP
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/*
 * fastopen_connect() - after a call with MSG_FASTOPEN has failed
 *
 * If that was for want of MPTCP's own (before Linux 6.2), @fd is connected to @addr of
 * @len bytes as TCP does without a cookie. Return: true: it is connected, and the data
 * are still to be sent, without the flag; false, with the errno to be returned.
 */
bool fastopen_connect(int fd, const void *addr, socklen_t len);
