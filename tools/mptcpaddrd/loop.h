/* SPDX-License-Identifier: MIT */
/*
 * loop.h - the broker's one thread
 */
#pragma once

#include "broker.h"

/* broker_load_policy() - as policy_load(); a file given by -c must exist. */
int broker_load_policy(struct broker *b, struct pool_error *why);

/* broker_run() - until a signal ends it. Return: 0; -errno. */
int broker_run(struct broker *b);
