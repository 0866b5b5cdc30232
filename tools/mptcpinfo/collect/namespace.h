/* SPDX-License-Identifier: MIT */
/*
 * namespace.h - what holds for the whole network namespace
 */
#pragma once

struct snapshot;

/* Fills path_manager and the MPTcpExt counters; says what is missing in a note. */
void namespace_read(struct snapshot *snap);
