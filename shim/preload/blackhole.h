/* SPDX-License-Identifier: MIT */
/*
 * blackhole.h - say, and tell the manager, that the kernel has switched MPTCP off
 */
#pragma once

struct handover;

/* blackhole_check() - a connection fell back to TCP. Once a second; changes errno. */
void blackhole_check(struct handover *handover);
