/* SPDX-License-Identifier: MIT */
/*
 * privileged.h - whether the kernel will start a program in secure mode (AT_SECURE)
 */
#pragma once

/*
 * secure_reason() - why the file @path, started by us, would ignore LD_PRELOAD
 *
 * Return: "setuid", "setgid", "started with file capabilities"..., or NULL: it will not.
 */
const char *secure_reason(const char *path);
