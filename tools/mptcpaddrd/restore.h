/* SPDX-License-Identifier: MIT */
/*
 * restore.h - connections from before this broker's start, and after lost events
 */
#pragma once

#include "broker.h"

/* restore_clients() - read the state file of an earlier broker. */
void restore_clients(struct broker *b);

/* resync_clients() - bring all engines in line with the kernel. Return: 0; -errno. */
int resync_clients(struct broker *b);
