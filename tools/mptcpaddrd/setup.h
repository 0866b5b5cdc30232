/* SPDX-License-Identifier: MIT */
/*
 * setup.h - open, reload and close the broker
 */
#pragma once

#include "broker.h"

/* broker_open() - everything that needs rights; @dir is for the state file. */
int broker_open(struct broker *b, const char *dir);
/* broker_load_policy() - as policy_load(); a file given by -c must exist. */
int broker_load_policy(struct broker *b, struct pool_error *why);
void broker_reload(struct broker *b);
void broker_close(struct broker *b);
