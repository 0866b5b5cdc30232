/* SPDX-License-Identifier: MIT */
/*
 * told.h - what a manager told, for programs
 */
#pragma once

#include <stdio.h>

struct told;

/* One JSON object and a newline; the keys are documented in mptcpinfo(8). */
void told_json(const struct told *told, FILE *out);
